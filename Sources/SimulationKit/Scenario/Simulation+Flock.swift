import BrokerCore
import Flock
import MQTTModel

// Several nodes: which of them clients go to, and what befalls them.
extension Simulation {
    enum Disaster {
        case crash(Int)
        case pause(Int, Duration)
        case cut(Int, Duration)
        case leaderLoss(Duration)
    }

    /// The number of a connection among those of all nodes.
    static func number(of connection: DriverConnection, on node: Int) -> Int {
        node * connectionsPerNode + connection.index
    }

    static func node(ofConnection number: Int) -> Int { number / connectionsPerNode }

    private static let connectionsPerNode = 1_000_000

    func watchFlock() {
        guard let flock else { return }
        flock.onFault = { [unowned self] in crashNode($0) }
        flock.onStored = { [unowned self] place, bytes in
            hash.combine(now.nanoseconds)
            hash.combine(place)
            hash.combine(bytes)
            noteDeaths(in: bytes)
        }
        if log != nil { flock.note = { [unowned self] in log?.note($0, at: now) } }
    }

    /// Whether the log says of one of the nodes that it is dead.
    private func noteDeaths(in bytes: [UInt8]) {
        guard let flock, let batch = try? bytes.withUnsafeBytes({ try FlockBatch($0, at: 0) }) else { return }
        for case .nodeDown(let name, let incarnation) in batch.records {
            for node in flock.nodes where node.name == name && node.log.incarnation == incarnation {
                observe(.declaredDead(node: node.index))
            }
        }
    }

    /// All nodes start, and what will befall them is drawn.
    func beginFlock() {
        for node in nodes.indices { startNode(node) }
        let count = swarm.nodeCount
        func whenever(_ disaster: Disaster) {
            schedule(
                .disaster(disaster), after: .milliseconds(crashRandom.integer(in: 500...(500 + swarm.seconds * 1000))))
        }
        func seconds() -> Duration {
            .milliseconds(
                crashRandom.pick([crashRandom.integer(in: 1...1000), crashRandom.integer(in: 1000...15_000)]))
        }
        for _ in 0..<swarm.nodeCrashes { whenever(.crash(crashRandom.integer(in: 0...(count - 1)))) }
        for _ in 0..<swarm.nodePauses { whenever(.pause(crashRandom.integer(in: 0...(count - 1)), seconds())) }
        for _ in 0..<swarm.nodeCuts { whenever(.cut(crashRandom.integer(in: 0...(count - 1)), seconds())) }
        for _ in 0..<swarm.leaderLosses { whenever(.leaderLoss(seconds())) }
    }

    func befall(_ disaster: Disaster) {
        guard !hasHealed, let flock else { return }
        switch disaster {
        case .crash(let node):
            if flock.nodes[node].phase == .starting { crashNode(node) }
            guard flock.nodes[node].phase == .running else { return }
            nodes[node].effectsUntilCrash = crashRandom.pick([0, crashRandom.integer(in: 0...40)])
        case .pause(let node, let duration): flock.pause(node, for: duration)
        case .cut(let node, let duration): flock.cut(node, for: duration)
        case .leaderLoss(let duration): flock.loseLeader(for: duration)
        }
    }

    /// When the node goes on, if it stands still.
    func wakes(_ node: Int) -> Instant? {
        guard let flock, flock.nodes[node].isPaused else { return nil }
        return flock.nodes[node].pausedUntil
    }

    // MARK: Choosing a node

    /// Whether there is a node that takes connections.
    var hasUsableNode: Bool { flock.map { $0.nodes.contains { $0.isRunning && !$0.isPaused } } ?? true }

    func chooseNode(for owner: VirtualLink.Owner) -> Int {
        guard let flock else { return 0 }
        let usable = flock.nodes.filter { $0.isRunning && !$0.isPaused }.map(\.index)
        guard case .honest(let client) = owner else { return networkRandom.pick(usable) }
        if let node = auditors[client], usable.contains(node) { return node }
        if let last = lastNodes[client], usable.contains(last), !networkRandom.chance(swarm.roamingPercent) {
            return last
        }
        return networkRandom.pick(usable)
    }

    /// Whether no other node has got the client later, by the log, than the one that accepts it now. A node that lags
    /// behind accepts whom it has lost already, and learns of it afterwards.
    func isLatest(_ client: String, on node: Int) -> Bool {
        guard let flock else { return true }
        let place = flock.nodes[node].claimPlaces[client] ?? 0
        guard place >= latestPlaces[client] ?? 0 else { return false }
        latestPlaces[client] = place
        return true
    }

    // MARK: Nodes end and begin

    func startNode(_ node: Int) {
        guard let flock, flock.nodes[node].phase == .down else { return }
        log?.note("node \(node) starts", at: now)
        flock.nodes[node].start()
    }

    func crashNodesWhereDue() {
        guard let flock else { return }
        for node in flock.nodes where node.phase == .running && node.driver.isCrashing { crashNode(node.index) }
    }

    private func crashNode(_ node: Int) {
        guard let flock, flock.nodes[node].phase != .down else { return }
        let ended = flock.nodes[node].crash()
        log?.note("node \(node) ends", at: now)
        history.crashed(at: now)
        observe(.crashed)
        for index in activeLinks where links[index].node == node { cut(index) }
        for connection in ended { observe(.ended(connection: Simulation.number(of: connection, on: node))) }
        schedule(
            .startNode(node), after: .milliseconds(crashRandom.integer(in: 0...swarm.maximumDowntimeMilliseconds)))
    }

    func healFlock() {
        guard let flock else { return }
        flock.heal()
        for node in flock.nodes where !node.driver.isCrashing { node.driver.effectsUntilCrash = nil }
    }
}

extension FlockDriver {
    /// Whether every node runs and has everything that is in the log, and nothing of its own is under way.
    var isAtRest: Bool { unrest.isEmpty }

    /// What is not at rest yet.
    var unrest: [String] {
        nodes.compactMap { node in
            if !node.isRunning { return "\(node.name) does not run" }
            if node.state.stream < servers.last { return "\(node.name) is behind" }
            return node.log.waitingCount > 0 ? "\(node.name) has \(node.log.waitingCount) commands under way" : nil
        }
    }
}
