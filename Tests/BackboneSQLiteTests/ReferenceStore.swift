import Backbone
import MQTTModel

/// The contract of the engine, written to be read and not to be fast: what a store that was given these commands holds.
struct ReferenceStore {
    fileprivate struct Session {
        var expiryInterval: UInt32 = 0
        /// Milliseconds; nil: connected.
        var disconnectedAt: Int64?
        var will: Will?
        var willDueAt: Int64?
        var subscriptions: [RestoredSession.Subscription] = []
        var received: Set<PacketIdentifier> = []
        var earlier: [RestoredSession.Subscription] = []
        var sent: [RestoredSession.Sent] = []
        var wishes: [RestoredSession.Wish] = []
        var cursor: LogSequence = 0
    }

    private struct Stored {
        var message: ApplicationMessage
        var storedAt: Int64
        var groups: Set<SharedGroup> = []

        func expiresIn(at now: Int64) -> UInt32? {
            message.expiryInterval.map { UInt32(max(0, (storedAt + Int64($0) * 1000 - now + 999) / 1000)) }
        }
    }

    private var sessions: [ExactText: Session] = [:]
    private var retained: [ExactText: Stored] = [:]
    private var log: [LogSequence: Stored] = [:]
    private var trims: [LogSequence]
    private(set) var lastSequence: LogSequence = 0
    /// Milliseconds.
    var now: Int64 = 0

    init(shardCount: Int = 1) { trims = Array(repeating: 0, count: shardCount) }

    /// Messages that must still be there.
    var needed: Set<LogSequence> {
        let through = trims.min() ?? 0
        return Set(log.filter { $0.key > through || !$0.value.groups.isEmpty }.keys)
    }

    /// The process has ended.
    mutating func endLife() {
        let now = now
        for client in sessions.keys where sessions[client]?.disconnectedAt == nil {
            sessions[client]?.disconnectedAt = now
            let delay = sessions[client]?.will?.delayInterval
            sessions[client]?.willDueAt = delay.map { now + Int64($0) * 1000 }
        }
    }

    mutating func execute(_ command: BackboneCommand) {
        switch command {
        case .append(let append): execute(append)
        case .store(let changes): for change in changes { execute(change) }
        case .trim(let shard, let through): trims[Int(shard)] = max(trims[Int(shard)], through)
        case .fetch, .claim: break
        }
    }

    private mutating func execute(_ append: LogAppend) {
        let stored = Stored(message: append.message, storedAt: now, groups: Set(append.groups))
        if append.isKept || !append.groups.isEmpty {
            lastSequence += 1
            log[lastSequence] = stored
        }
        if append.message.isRetained {
            var kept = stored
            kept.groups = []
            retained[ExactText(append.message.topicString)] = append.message.payloadLength == 0 ? nil : kept
        }
        if let received = append.received {
            sessions[received.clientIdentifier]?.received.insert(received.packetIdentifier)
        }
        if let client = append.willOf {
            sessions[ExactText(client)]?.will = nil
            sessions[ExactText(client)]?.willDueAt = nil
        }
    }

    private mutating func execute(_ change: SessionChange) {
        switch change {
        case .began(let client):
            sessions[ExactText(client)] = Session(cursor: lastSequence)
        case .connected(let client, let expiryInterval, let will):
            var session = sessions[ExactText(client)] ?? Session(cursor: lastSequence)
            session.expiryInterval = expiryInterval
            session.disconnectedAt = nil
            session.will = will
            session.willDueAt = nil
            sessions[ExactText(client)] = session
        case .disconnected(let client, let expiryInterval, let willDelay):
            guard var session = sessions[ExactText(client)] else { return }
            session.expiryInterval = expiryInterval
            session.disconnectedAt = now
            if let willDelay {
                session.willDueAt = now + Int64(willDelay) * 1000
            } else {
                session.will = nil
            }
            sessions[ExactText(client)] = session
        case .ended(let client), .departed(let client): sessions[ExactText(client)] = nil
        case .subscribed(let client, let filter, let options, let identifier, let since, let messagesWait):
            let subscription = RestoredSession.Subscription(
                filter: filter, options: options, identifier: identifier, since: since)
            alter(client) { $0.subscribe(subscription, messagesWait: messagesWait) }
        case .unsubscribed(let client, let filter, let through):
            alter(client) { $0.unsubscribe(filter, through: through) }
        case .wished(let client, let wish):
            let stored = RestoredSession.Wish(wish, since: lastSequence, position: 0)
            alter(client) { session in
                session.wishes.removeAll { $0.wish.number == wish.number }
                session.wishes.append(stored)
            }
        case .fulfilled(let client, let wish):
            alter(client) { session in
                session.wishes.removeAll { $0.wish.number == wish }
                session.sent.removeAll { wish.copiesOfItsWish.contains($0.exchange.sequence) }
            }
        case .released(let exchange):
            sessions[exchange.clientIdentifier]?.received.remove(exchange.packetIdentifier)
        case .sending(let client, let exchange, let packetIdentifier, let topic):
            alter(client) { session in
                session.sent.removeAll { $0.exchange == exchange }
                session.sent.append(.init(exchange, packetIdentifier: packetIdentifier, phase: .sending, topic: topic))
            }
        case .handedOver(let client, let exchange): alter(client) { $0.setPhase(.handedOver, of: exchange) }
        case .finished(let client, let exchange): alter(client) { $0.finish(exchange) }
        case .advanced(let client, let through): alter(client) { $0.cursor = max($0.cursor, through) }
        case .groupFinished(let group, let sequence): log[sequence]?.groups.remove(group)
        case .groupPassed: break
        }
    }

    private mutating func alter(_ client: String, _ body: (inout Session) -> Void) {
        guard var session = sessions[ExactText(client)] else { return }
        body(&session)
        sessions[ExactText(client)] = session
    }

    /// As a process finds it that takes the store over now.
    var snapshot: Snapshot {
        var snapshot = Snapshot()
        var ended = self
        ended.endLife()
        for (client, session) in ended.sessions { snapshot.sessions.append(Snapshot.text(restored(client, session))) }
        for stored in retained.values where stored.expiresIn(at: now) != 0 {
            snapshot.retained.append(Snapshot.text(counted(stored)))
        }
        for (sequence, stored) in log {
            snapshot.log[sequence] = Snapshot.text(counted(stored), groups: Array(stored.groups))
        }
        snapshot.sessions.sort()
        snapshot.retained.sort()
        return snapshot
    }

    private func counted(_ stored: Stored) -> ApplicationMessage {
        let message = stored.message.copy(withTopic: stored.message.topic)
        message.expiryInterval = stored.expiresIn(at: now)
        return message
    }

    private func restored(_ client: ExactText, _ session: Session) -> RestoredSession {
        var restored = RestoredSession(clientIdentifier: client.string)
        restored.expiryInterval = session.expiryInterval
        if session.expiryInterval != .max {
            let end = Int64(session.expiryInterval) * 1000 + (session.disconnectedAt ?? now)
            restored.expiresIn = UInt32(max(0, (end - now + 999) / 1000))
        }
        restored.will = session.will
        restored.willDueIn =
            session.will == nil ? nil : session.willDueAt.map { UInt32(max(0, ($0 - now + 999) / 1000)) }
        restored.subscriptions = session.earlier.filter { ($0.until ?? .max) > session.cursor }
            .sorted {
                $0.until == $1.until
                    ? $0.filter.utf8.lexicographicallyPrecedes($1.filter.utf8) : ($0.until ?? 0) < ($1.until ?? 0)
            }
        restored.subscriptions += session.subscriptions
        restored.received = session.received.sorted()
        restored.sent = session.sent.filter { $0.isUnfinished(above: session.cursor) }
        restored.wishes = session.wishes.sorted { $0.wish.number < $1.wish.number }
        restored.cursor = session.cursor
        return restored
    }
}

extension ReferenceStore.Session {
    mutating func subscribe(_ subscription: RestoredSession.Subscription, messagesWait: Bool) {
        guard let index = subscriptions.firstIndex(where: { ExactText($0.filter) == ExactText(subscription.filter) })
        else {
            subscriptions.append(subscription)
            return
        }
        let old = subscriptions[index]
        let isSame = old.options == subscription.options && old.identifier == subscription.identifier
        if !isSame, messagesWait { keep(old, until: subscription.since) }
        if !isSame {
            subscriptions[index] = .init(
                filter: old.filter, options: subscription.options, identifier: subscription.identifier,
                since: max(old.since, subscription.since))
        }
    }

    mutating func unsubscribe(_ filter: String, through: LogSequence?) {
        guard let index = subscriptions.firstIndex(where: { ExactText($0.filter) == ExactText(filter) }) else { return }
        let old = subscriptions.remove(at: index)
        if let through { keep(old, until: through) }
    }

    private mutating func keep(_ old: RestoredSession.Subscription, until: LogSequence) {
        guard old.since < until else { return }
        earlier.append(
            .init(
                filter: old.filter, options: old.options, identifier: old.identifier, since: old.since, until: until))
    }

    mutating func setPhase(_ phase: RestoredSession.Sent.Phase, of exchange: SentExchange) {
        guard let index = sent.firstIndex(where: { $0.exchange == exchange }) else { return }
        sent[index] = .init(
            exchange, packetIdentifier: sent[index].packetIdentifier, phase: phase, topic: sent[index].topic)
    }

    mutating func finish(_ exchange: SentExchange) {
        if exchange.group != nil {
            sent.removeAll { $0.exchange == exchange }
        } else if exchange.sequence < .firstCopy, !sent.contains(where: { $0.exchange == exchange }) {
            sent.append(.init(exchange, packetIdentifier: 0, phase: .finished))
        } else {
            setPhase(.finished, of: exchange)
        }
    }
}
