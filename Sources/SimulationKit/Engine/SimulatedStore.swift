import Backbone
import MQTTModel

/// What a lasting engine holds: its contract, written to be read and not to be fast. Everything is in the order in which
/// it was made, so that a restart is the same each time.
struct SimulatedStore {
    private struct StoredSession {
        let clientIdentifier: String
        var expiryInterval: UInt32 = 0
        /// nil: connected.
        var disconnectedAt: Instant?
        var will: Will?
        var willDueAt: Instant?
        var subscriptions: [RestoredSession.Subscription] = []
        var received: Set<PacketIdentifier> = []
        var sent: [RestoredSession.Sent] = []
        var wishes: [RestoredSession.Wish] = []
        var cursor: LogSequence = 0
    }

    private struct StoredMessage {
        let sequence: LogSequence
        var position: RetainedPosition = 0
        let message: ApplicationMessage
        let storedAt: Instant
        var groups: [SharedGroup] = []
    }

    private var sessions: [StoredSession] = []
    private var retained: [StoredMessage] = []
    private var log: [StoredMessage] = []
    private var trims: [LogSequence]
    private var lastSequence: LogSequence = 0
    private var lastPosition: RetainedPosition = 0

    init(shardCount: Int) { trims = Array(repeating: 0, count: shardCount) }

    var clientIdentifiers: [String] { sessions.map(\.clientIdentifier) }
    var retainedCount: Int { retained.count }

    /// - Returns: what every shard is told.
    mutating func execute(_ command: BackboneCommand, at now: Instant) -> LogEntry? {
        switch command {
        case .append(let append): return execute(append, at: now)
        case .store(let changes): for change in changes { execute(change, at: now) }
        case .trim(let shard, let through): trim(shard: shard, through: through)
        case .fetch: break
        }
        return nil
    }

    private mutating func trim(shard: UInt16, through: LogSequence) {
        trims[Int(shard)] = max(trims[Int(shard)], through)
        let unneeded = trims.min() ?? 0
        log.removeAll { $0.sequence <= unneeded && $0.groups.isEmpty }
    }

    mutating func skipSequences(of other: SimulatedStore) { lastSequence = max(lastSequence, other.lastSequence) }

    mutating func dropLog(through sequence: LogSequence) { log.removeAll { $0.sequence <= sequence } }

    private mutating func execute(_ append: LogAppend, at now: Instant) -> LogEntry {
        var sequence: LogSequence = 0
        if append.isKept || !append.groups.isEmpty {
            lastSequence += 1
            sequence = lastSequence
            log.append(
                StoredMessage(sequence: sequence, message: append.message, storedAt: now, groups: append.groups))
        }
        if append.message.isRetained {
            retained.removeAll { $0.message.topic.elementsEqual(append.message.topic) }
            if append.message.payloadLength > 0 {
                lastPosition += 1
                retained.append(
                    StoredMessage(sequence: 0, position: lastPosition, message: append.message, storedAt: now))
            }
        }
        if let exchange = append.received {
            change(exchange.clientIdentifier.string) { $0.received.insert(exchange.packetIdentifier) }
        }
        if let client = append.willOf {
            change(client) {
                $0.will = nil
                $0.willDueAt = nil
            }
        }
        return LogEntry(sequence: sequence, message: append.message, publisher: append.publisher)
    }

    private mutating func execute(_ sessionChange: SessionChange, at now: Instant) {
        switch sessionChange {
        case .began(let client):
            sessions.removeAll { $0.clientIdentifier == client }
            sessions.append(StoredSession(clientIdentifier: client, cursor: lastSequence))
        case .connected(let client, let expiryInterval, let will):
            if !sessions.contains(where: { $0.clientIdentifier == client }) {
                sessions.append(StoredSession(clientIdentifier: client, cursor: lastSequence))
            }
            change(client) {
                $0.expiryInterval = expiryInterval
                $0.disconnectedAt = nil
                $0.will = will
                $0.willDueAt = nil
            }
        case .disconnected(let client, let expiryInterval, let willDelay):
            change(client) {
                $0.expiryInterval = expiryInterval
                $0.disconnectedAt = now
                if let willDelay { $0.willDueAt = now.advanced(seconds: willDelay) } else { $0.will = nil }
            }
        case .ended(let client): sessions.removeAll { $0.clientIdentifier == client }
        case .subscribed(let client, let filter, let options, let identifier, let since, let messagesWait):
            let subscription = RestoredSession.Subscription(
                filter: filter, options: options, identifier: identifier, since: since)
            change(client) { SimulatedStore.subscribe(subscription, messagesWait: messagesWait, &$0) }
        case .unsubscribed(let client, let filter, let through):
            change(client) { SimulatedStore.end(filter, at: through, &$0) }
        case .wished(let client, let wish):
            lastPosition += 1
            let stored = RestoredSession.Wish(wish, since: lastSequence, position: lastPosition)
            change(client) { $0.wishes.append(stored) }
        case .fulfilled(let client, let wish):
            change(client) {
                $0.wishes.removeAll { $0.wish.number == wish }
                $0.sent.removeAll { $0.exchange.sequence >= .firstCopy && $0.exchange.sequence.wish == wish }
            }
        case .released(let exchange):
            change(exchange.clientIdentifier.string) { $0.received.remove(exchange.packetIdentifier) }
        case .sending(let client, let exchange, let packetIdentifier, let topic):
            change(client) {
                $0.sent.removeAll { $0.exchange == exchange }
                $0.sent.append(
                    .init(exchange, packetIdentifier: packetIdentifier, phase: .sending, topic: topic))
            }
        case .handedOver(let client, let exchange):
            change(client) { SimulatedStore.setPhase(.handedOver, of: exchange, &$0) }
        case .finished(let client, let exchange): change(client) { SimulatedStore.finish(exchange, &$0) }
        case .advanced(let client, let through):
            change(client) {
                let cursor = max($0.cursor, through)
                $0.cursor = cursor
                $0.sent.removeAll { $0.exchange.sequence <= cursor }
                $0.subscriptions.removeAll { $0.until.map { $0 <= cursor } ?? false }
            }
        case .groupFinished(let group, let sequence):
            guard let index = log.firstIndex(where: { $0.sequence == sequence }) else { return }
            log[index].groups.removeAll { $0 == group }
        }
    }

    private mutating func change(_ client: String, _ body: (inout StoredSession) -> Void) {
        guard let index = sessions.firstIndex(where: { $0.clientIdentifier == client }) else { return }
        body(&sessions[index])
    }

    private static func subscribe(
        _ subscription: RestoredSession.Subscription, messagesWait: Bool, _ session: inout StoredSession
    ) {
        guard
            let index = session.subscriptions.firstIndex(where: { $0.filter == subscription.filter && $0.until == nil })
        else {
            session.subscriptions.append(subscription)
            return
        }
        let old = session.subscriptions.remove(at: index)
        var oldOptions = old.options
        oldOptions.retainHandling = subscription.options.retainHandling
        let isSame = oldOptions == subscription.options && old.identifier == subscription.identifier
        if !isSame, messagesWait { keep(old, until: subscription.since, &session) }
        session.subscriptions.append(
            .init(
                filter: old.filter, options: subscription.options, identifier: subscription.identifier,
                since: isSame ? old.since : max(old.since, subscription.since)))
    }

    private static func end(_ filter: String, at through: LogSequence?, _ session: inout StoredSession) {
        guard let index = session.subscriptions.firstIndex(where: { $0.filter == filter && $0.until == nil }) else {
            return
        }
        let old = session.subscriptions.remove(at: index)
        if let through { keep(old, until: through, &session) }
    }

    private static func keep(
        _ old: RestoredSession.Subscription, until: LogSequence, _ session: inout StoredSession
    ) {
        guard old.since < until else { return }
        session.subscriptions.append(
            .init(
                filter: old.filter, options: old.options, identifier: old.identifier, since: old.since, until: until))
    }

    private static func setPhase(
        _ phase: RestoredSession.Sent.Phase, of exchange: SentExchange, _ session: inout StoredSession
    ) {
        guard let index = session.sent.firstIndex(where: { $0.exchange == exchange }) else { return }
        let old = session.sent[index]
        session.sent[index] = .init(exchange, packetIdentifier: old.packetIdentifier, phase: phase, topic: old.topic)
    }

    private static func finish(_ exchange: SentExchange, _ session: inout StoredSession) {
        if exchange.group != nil {
            session.sent.removeAll { $0.exchange == exchange }
        } else if exchange.sequence < .firstCopy, !session.sent.contains(where: { $0.exchange == exchange }) {
            session.sent.append(.init(exchange, packetIdentifier: 0, phase: .finished))
        } else {
            setPhase(.finished, of: exchange, &session)
        }
    }
}

// MARK: - After a crash

extension SimulatedStore {
    func restoredSessions(at now: Instant) -> [RestoredSession] {
        sessions.map { session in
            var restored = RestoredSession(clientIdentifier: session.clientIdentifier)
            restored.expiryInterval = session.expiryInterval
            if session.expiryInterval != .max {
                let end = (session.disconnectedAt ?? now).advanced(seconds: session.expiryInterval)
                restored.expiresIn = SimulatedStore.seconds(until: end, at: now)
            }
            restored.will = session.will.map { SimulatedStore.copy(of: $0) }
            if session.will != nil {
                restored.willDueIn = session.willDueAt.map { SimulatedStore.seconds(until: $0, at: now) }
            }
            restored.subscriptions = session.subscriptions
            restored.received = session.received.sorted()
            restored.sent = session.sent.filter { $0.exchange.sequence > session.cursor }
            restored.wishes = session.wishes
            restored.cursor = session.cursor
            return restored
        }
    }

    func restoredRetained(at now: Instant) -> [(message: ApplicationMessage, position: RetainedPosition)] {
        retained.filter { $0.message.expiryInterval == nil || expiry(of: $0, at: now) != 0 }
            .map { (copy(of: $0, at: now), $0.position) }
    }

    func restoredLog(at now: Instant) -> [(entry: LogEntry, groups: [SharedGroup])] {
        log.map {
            (LogEntry(sequence: $0.sequence, message: copy(of: $0, at: now), publisher: .none), $0.groups)
        }
    }

    /// What the log has of `sequences`.
    func fetched(_ sequences: [LogSequence], at now: Instant) -> [LogEntry] {
        let asked = Set(sequences)
        return log.filter { asked.contains($0.sequence) }
            .map { LogEntry(sequence: $0.sequence, message: copy(of: $0, at: now), publisher: .none) }
    }

    private func expiry(of stored: StoredMessage, at now: Instant) -> UInt32? {
        stored.message.expiryInterval.map {
            SimulatedStore.seconds(until: stored.storedAt.advanced(seconds: $0), at: now)
        }
    }

    private func copy(of stored: StoredMessage, at now: Instant) -> ApplicationMessage {
        let copy = stored.message.copy(withTopic: stored.message.topic)
        copy.expiryInterval = expiry(of: stored, at: now)
        copy.receivedAt = now
        return copy
    }

    private static func copy(of will: Will) -> Will {
        Will(message: will.message.copy(withTopic: will.message.topic), delayInterval: will.delayInterval)
    }

    /// Whole seconds, upwards.
    private static func seconds(until due: Instant, at now: Instant) -> UInt32 {
        due <= now ? 0 : UInt32((due.nanoseconds - now.nanoseconds + 999_999_999) / 1_000_000_000)
    }
}
