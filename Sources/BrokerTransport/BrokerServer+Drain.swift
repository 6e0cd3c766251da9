package import Backbone
package import BrokerRuntime
import Logging
import NIOCore
import TransportModel

/// How clients are moved away from a broker.
package struct Drain: Sendable, Hashable {
    package static let rates = 1...1_000_000

    /// Connections that are closed in a second.
    package var connectionsPerSecond: Int
    /// What they are told.
    package var redirection: Redirection

    package init(connectionsPerSecond: Int = 500, serverReference: String? = nil) {
        self.connectionsPerSecond = connectionsPerSecond
        redirection = Redirection(serverReference: serverReference)
    }
}

extension BrokerServer {
    private static let drainTurnsPerSecond = 10.0

    package var isDraining: Bool { operatorState.isDraining }

    /// Moves the clients away for maintenance: refuses every further CONNECT, and closes the connections that there are, so
    /// many a second. The broker goes on until it is stopped; sessions and messages stay. Returns when no connection is
    /// left or the drain is ended, or at once when one is on already.
    package func drain(_ drain: Drain) async throws {
        guard let number = operatorState.beginDraining(drain.redirection) else { return }
        let redirection = drain.redirection
        logger.notice(
            "draining",
            metadata: [
                "connectionsPerSecond": "\(drain.connectionsPerSecond)",
                "serverReference": "\(redirection.serverReference ?? "")",
            ])
        try await redirectClients()
        var allowance = 0.0
        while operatorState.isDraining(number), !operatorState.isShuttingDown {
            allowance += Double(max(drain.connectionsPerSecond, 1)) / Self.drainTurnsPerSecond
            var left = 0
            for shard in shards {
                let count = Int(allowance)
                let result = try await shard.loop.submit {
                    shard.disconnectSome(
                        count, redirection.disconnectReason, serverReference: redirection.serverReference)
                }.get()
                allowance -= Double(result.ended)
                left += result.left
            }
            if left == 0 { return logger.notice("drained") }
            try await Task.sleep(for: .seconds(1 / Self.drainTurnsPerSecond))
        }
    }

    /// Takes clients again.
    ///
    /// - Returns: whether the broker was being drained.
    package func endDrain() async throws -> Bool {
        guard operatorState.endDraining() else { return false }
        logger.notice("drain ended")
        try await redirectClients()
        return true
    }

    private func redirectClients() async throws {
        for shard in shards {
            try await shard.loop.submit { shard.redirectClients(self.operatorState.redirection) }.get()
        }
    }
}

/// In a flock: what the other nodes know of this one, and this one of them.
extension BrokerServer {
    private static let announcementInterval = Duration.seconds(1)
    private static let readinessPatience = Duration.seconds(2)

    /// The nodes of the flock, this one included, by name; empty when there is none.
    package var flockNodes: [NodeSighting] { operatorState.serving?.backbone.nodes ?? [] }

    /// Has another node of the flock do something.
    package func give(_ order: NodeOrder, to node: String) async -> NodeAnswer {
        guard let serving = operatorState.serving else { return .noAnswer("the broker does not serve") }
        return await serving.backbone.give(order, to: node)
    }

    /// Does what an operator wants of this node. A drain goes on after the answer, as long as it takes.
    package func obey(_ order: NodeOrder) async -> NodeAnswer {
        switch order {
        case .drain(let rate, let serverReference, let isPermanent):
            var drain = configuration.drain
            if let rate { drain.connectionsPerSecond = Int(rate) }
            if let serverReference { drain.redirection.serverReference = serverReference }
            if let isPermanent { drain.redirection.isPermanent = isPermanent }
            guard Drain.rates.contains(drain.connectionsPerSecond) else {
                return .refused("the rate has to be within 1–1000000")
            }
            guard !isDraining else { return .done("is being drained already") }
            Task { [drain] in try? await self.drain(drain) }
            return .done("draining")
        case .endDrain:
            let hasEnded = (try? await endDrain()) ?? false
            return .done(hasEnded ? "takes clients again" : "is not being drained")
        }
    }

    /// Tells the other nodes, again and again until it is cancelled.
    func announce(to backbone: SharedBackbone) async {
        guard backbone.isShared else { return }
        let start = ContinuousClock.now
        let listeners = ((try? await boundAddresses()) ?? []).map(\.description)
        while !Task.isCancelled {
            if let figures = try? await figures() {
                let readiness = await readiness(within: Self.readinessPatience)
                var facts = NodeFacts()
                facts.isReady = readiness.isReady
                facts.isDraining = isDraining
                facts.reasons = readiness.reasons
                facts.listeners = listeners
                facts.uptimeSeconds = UInt64((ContinuousClock.now - start).components.seconds)
                facts.connections = UInt64(figures.connections)
                facts.clients = UInt64(figures.clients.total)
                facts.sessions = UInt64(figures.sessions)
                facts.subscriptions = UInt64(figures.subscriptions)
                facts.retainedMessages = UInt64(figures.retainedMessages)
                backbone.announce(facts)
            }
            try? await Task.sleep(for: Self.announcementInterval)
        }
    }
}
