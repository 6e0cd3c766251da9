import BrokerCore
package import MQTTModel
import MQTTSession
import MQTTCodec

/// One run: a node with its shards, clients, a network between them and checkers, all in virtual time and out of one
/// seed.
package final class Simulation {
    enum Event {
        case upstream(Int)
        case downstream(Int)
        case breakNoticed(Int)
        case mail(Int, Int)
        case act(Int)
        case hostileAct(Int)
        case deadline(Int)
        case acknowledge(Int)
        case unstall(Int, Int)
        case crash
        case restart
        case disaster(Disaster)
        case startNode(Int)
    }

    package let swarm: Swarm
    package let seed: UInt64
    /// One, or those of the flock.
    let nodes: [CoreDriver]
    /// The node, where there is one.
    var driver: CoreDriver { nodes[0] }
    let flock: FlockDriver?
    let history: History
    var referee: Referee
    private(set) var clients: [SimulatedClient] = []
    private(set) var hostiles: [HostileClient] = []
    private var scheduler = Scheduler<Event>()
    private var planter: BugPlanter?

    var links: [VirtualLink] = []
    /// Those on which something may still happen.
    var activeLinks: [Int] = []
    var isMailScheduled: [[Bool]]
    /// On which node each client was accepted last.
    var lastNodes: [Int: Int] = [:]
    /// By client identifier: the place of the log at which it came to the node that accepted it last.
    var latestPlaces: [String: UInt64] = [:]
    /// Witnesses of what is retained, each with its node.
    var auditors: [Int: Int] = [:]
    var networkRandom: SplitMix64
    /// Faults are over: clients come back, and nobody starts anything new.
    package private(set) var hasHealed = false
    /// The broker's process has ended, and no other runs yet.
    var isDown = false
    var crashRandom: SplitMix64
    /// Everything is quiet, and the auditor looks at what is retained.
    private(set) var isAuditing = false
    /// The run is over: clients leave and stay away.
    var isClosing = false
    /// Messages with an empty payload, which are known by nothing but their object.
    private var clears: [(message: ApplicationMessage, number: Int)] = []
    var pendingConnects: [Int: Connect] = [:]
    /// By connection: which session of its client the broker accepted it for.
    var acceptedSessions: [Int: Int] = [:]

    package private(set) var eventCount = 0
    package internal(set) var hash = TraceHash()
    package var log: EventLog?

    package init(seed: UInt64, swarm: Swarm, bug: PlantedBug? = nil, log: EventLog? = nil) {
        self.seed = seed
        self.swarm = swarm
        self.log = log
        let random = SplitMix64(seed: seed)
        networkRandom = random.split(1)
        crashRandom = random.split(5)
        flock =
            swarm.nodeCount == 1
            ? nil
            : FlockDriver(
                swarm.nodeCount, shardCount: swarm.shardCount, options: swarm.options,
                faults: swarm.flockFaults, seed: random.split(7).seed)
        nodes =
            flock?.nodes.map(\.driver)
            ?? [CoreDriver(shardCount: swarm.shardCount, options: swarm.options, seed: random.split(2).seed)]
        for driver in nodes {
            driver.deliversAtOnce = swarm.maximumMailDelayMilliseconds == 0
            driver.tracksWritability = true
        }
        isMailScheduled = nodes.map { _ in Array(repeating: false, count: swarm.shardCount) }
        var profileRandom = random.split(3)
        var profiles = (0..<swarm.honestClients).map {
            ClientProfile.drawn(index: $0, swarm: swarm, using: &profileRandom)
        }
        profiles.append(.witness(index: profiles.count, role: .monitor))
        for node in nodes.indices {
            auditors[profiles.count] = node
            profiles.append(.witness(index: profiles.count, role: .auditor, node: node))
        }
        history = History(clientCount: profiles.count)
        referee = Referee(swarm: swarm, profiles: profiles)
        planter = bug.map { BugPlanter($0, random: random.split(4)) }
        clients = profiles.map {
            SimulatedClient(profile: $0, simulation: self, random: random.split(100 + UInt64($0.index)))
        }
        hostiles = (0..<swarm.hostileClients).map {
            HostileClient(index: $0, simulation: self, random: random.split(1000 + UInt64($0)))
        }
        if swarm.hasLastingEngine, flock == nil {
            var faults = SimulatedBackbone.Faults()
            faults.maximumCommitDelayMilliseconds = swarm.maximumCommitDelayMilliseconds
            faults.failedReadPercent = swarm.failedReadPercent
            faults.failedCommitPercent = swarm.failedCommitPercent
            faults.fullPercent = swarm.fullPercent
            faults.answersBeforeCommit = bug == .answerBeforeCommit
            faults.forgetsExchanges = bug == .forgetExchange
            driver.useEngine(faults, random: random.split(6))
        }
        for (index, driver) in nodes.enumerated() {
            driver.observer = { [unowned self] in observe($0, on: index) }
        }
        watchFlock()
    }

    package var now: Instant { flock?.now ?? driver.now }

    package var failures: [Failure] { referee.verdict.failures }

    // MARK: For clients and network

    func schedule(_ event: Event, after delay: Duration) { schedule(event, at: now.advanced(by: delay)) }

    func schedule(_ event: Event, at due: Instant) {
        guard due < .distantFuture else { return }
        scheduler.insert(event, at: due)
    }

    func observe(_ occurrence: Occurrence) {
        log?.note(occurrence, at: now)
        referee.observe(occurrence, at: now, history: history)
    }

    func fail(_ rule: Rule, _ detail: String) { referee.verdict.fail(rule, detail, at: now) }

    func number(of message: ApplicationMessage) -> Int? {
        history.number(ofPayload: message.payload) ?? clears.last { $0.message === message }?.number
    }

    /// A new message, with a payload that tells which.
    func makeMessage(
        from client: SimulatedClient, topic: String, qos: QoS, isRetained: Bool, isWill: Bool
    ) -> ApplicationMessage {
        let profile = client.profile
        // With an alias the session sends a copy of the message, which an empty payload would not be known by.
        let isClear =
            isRetained && !isWill && profile.topicAliasMaximum == 0 && client.random.chance(swarm.clearPercent)
        let padding = client.random.integer(in: 0...swarm.maximumPayload)
        let expires = profile.version.hasProperties && client.random.chance(swarm.expiryPercent)
        let expiry: UInt32? = expires ? client.random.pick([1, 3, 100]) : nil
        let hasProperty = profile.version.hasProperties && !isClear && client.random.chance(40)
        let number = history.addMessage { number in
            MessageRecord(
                number: number, publisher: profile.index, publisherSession: client.sessionOrdinal, topic: topic,
                qos: qos, isRetained: isRetained, isWill: isWill, expiryInterval: expiry, isClear: isClear,
                payload: isClear ? [] : Array("\(number):".utf8) + Array(repeating: UInt8(ascii: "x"), count: padding),
                userProperty: hasProperty ? "\(number)" : nil)
        }
        let record = history.messages[number]
        let properties = record.userProperty.map {
            PacketEncoder.encodeForwardedProperties([.userProperty(name: "number", value: $0)])
        }
        let message = Array(topic.utf8).withUnsafeBytes { topic in
            (properties ?? []).withUnsafeBytes { properties in
                record.payload.withUnsafeBytes { payload in
                    ApplicationMessage(topic: topic, encodedProperties: properties, payload: payload)
                }
            }
        }
        message.qos = qos
        message.isRetained = isRetained
        message.expiryInterval = expiry
        if isClear { clears.append((message, number)) }
        return message
    }

    /// What the client gets for what the broker sent.
    func planted(_ decoded: WirePacket, for client: SimulatedClient) -> [WirePacket] {
        planter?.spoil(decoded, for: client) ?? [decoded]
    }

    // MARK: Running

    /// Runs to the end. The failures, if there are any, are in `failures`.
    package func run() {
        for client in clients { schedule(.act(client.profile.index), after: .milliseconds(client.profile.index)) }
        for hostile in hostiles { schedule(.hostileAct(hostile.index), after: .milliseconds(hostile.index)) }
        if flock == nil { scheduleCrashes() } else { beginFlock() }
        let healing = now.advanced(by: .seconds(swarm.seconds))
        runEvents(until: healing)
        heal()
        guard becomesQuiet(within: .seconds(300), for: .seconds(flock == nil ? 4 : 20)) else { return }
        isAuditing = true
        guard becomesQuiet(within: .seconds(30), for: .seconds(1)) else { return }
        finishChecks()
        QuiescenceCheck(simulation: self).run()
    }

    /// Lets everything happen that is due until `end`, unless something is wrong already.
    func runEvents(until end: Instant) {
        while failures.isEmpty {
            let others = flock == nil ? driver.nextDeadline : flock?.nextDue
            let next = min(scheduler.nextDue ?? .distantFuture, others ?? .distantFuture)
            guard next <= end else { break }
            if let due = scheduler.nextDue, due <= next, let (_, event) = scheduler.removeFirst() {
                advance(to: due)
                run(event)
            } else if let flock {
                flock.advanceOnce(to: next)
            } else {
                driver.advance(to: next)
            }
            crashWhereDue()
            collect()
            eventCount += 1
            if eventCount.isMultiple(of: 64) { checkInvariants() }
        }
        advance(to: max(end, now))
    }

    private func advance(to instant: Instant) {
        if let flock { flock.setNow(instant) } else { driver.advance(to: instant) }
    }

    private func crashWhereDue() {
        guard flock != nil else {
            if driver.isCrashing, !isDown { crash() }
            return
        }
        crashNodesWhereDue()
    }

    private func run(_ event: Event) {
        switch event {
        case .upstream(let link): deliverUpstream(link)
        case .downstream(let link): deliverDownstream(link)
        case .breakNoticed(let link): noticeBreak(link)
        case .mail(let node, let shard):
            if let due = wakes(node) { return schedule(.mail(node, shard), at: due) }
            isMailScheduled[node][shard] = false
            nodes[node].deliverMail(to: shard)
        case .act(let index):
            if isClosing { break }
            if !isDown { clients[index].act() }
            let pause = clients[index].random.integer(in: 0...swarm.maximumPauseMilliseconds)
            schedule(.act(index), after: .milliseconds(hasHealed ? 20 + pause : pause))
        case .hostileAct(let index):
            if !isDown { hostiles[index].act() }
            schedule(.hostileAct(index), after: .milliseconds(networkRandom.integer(in: 1...30)))
        case .deadline(let index): clients[index].deadlineReached()
        case .acknowledge(let index): clients[index].acknowledgeNext()
        case .unstall(let index, let link): clients[index].unstall(link)
        case .crash: beginCrash()
        case .restart: restart()
        case .disaster(let disaster): befall(disaster)
        case .startNode(let node): startNode(node)
        }
    }

    func checkInvariants() {
        for driver in nodes {
            driver.checkInvariants()
            for fault in driver.faults { fail(.invariant, fault) }
        }
    }

    // MARK: The end

    /// From here on the network is well and nobody does anything new.
    private func heal() {
        hasHealed = true
        if !isDown { driver.effectsUntilCrash = nil }
        driver.healEngine()
        healFlock()
        log?.note("faults heal", at: now)
        for hostile in hostiles { hostile.leave() }
        for index in activeLinks { links[index].latency = min(links[index].latency, .milliseconds(1)) }
        for client in clients {
            if let link = client.link { client.unstall(link) }
        }
        for index in links.indices where !links[index].isOver && links[index].clientEnd == .gone { noticeBreak(index) }
    }

    /// Whether nothing is under way but pings, two bytes each.
    private var isQuiet: Bool {
        clients.allSatisfy { $0.isQuiet || ($0.profile.role == .auditor && !isAuditing) }
            && activeLinks.allSatisfy {
                links[$0].upstream.count <= 2 && nodes[links[$0].node].outputCount(of: links[$0].connection) <= 2
            }
            && nodes.allSatisfy { node in (0..<swarm.shardCount).allSatisfy { !node.hasMail($0) } }
            && driver.engine?.isIdle != false && !isDown && flock?.isAtRest != false
    }

    /// Whether everything comes to rest, and stays so for `rest`.
    private func becomesQuiet(within limit: Duration, for rest: Duration) -> Bool {
        let end = now.advanced(by: limit)
        var quietSince: Instant?
        while failures.isEmpty, now < end {
            runEvents(until: now.advanced(by: .milliseconds(250)))
            if !isQuiet {
                quietSince = nil
            } else if let since = quietSince, since.advanced(by: rest) <= now {
                return true
            } else {
                quietSince = quietSince ?? now
            }
        }
        if failures.isEmpty { fail(.liveness, describeUnrest()) }
        return false
    }

    private func describeUnrest() -> String {
        var parts: [String] = []
        for client in clients where !client.isQuiet {
            parts.append(
                "\(client.profile.identifier): connected \(client.session.isConnected), unfinished "
                    + "\(client.session.unfinishedCount), requests \(client.subscribing.count)")
        }
        for index in activeLinks {
            let count = nodes[links[index].node].outputCount(of: links[index].connection)
            if count > 0 || !links[index].upstream.isEmpty {
                parts.append("link \(index): \(links[index].upstream.count) bytes up, \(count) down")
            }
        }
        if let flock { parts += flock.unrest }
        return parts.joined(separator: "; ")
    }

    private func finishChecks() {
        checkInvariants()
        if failures.isEmpty { referee.finish(at: now, history: history) }
    }
}
