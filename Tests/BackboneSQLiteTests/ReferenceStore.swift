import Backbone
import MQTTModel

/// The contract of the engine, written to be read and not to be fast: what a store that was given these commands holds.
struct ReferenceStore {
    private struct Session {
        var expiryInterval: UInt32 = 0
        /// Milliseconds; nil: connected.
        var disconnectedAt: Int64?
        var will: Will?
        var willDueAt: Int64?
        var subscriptions: [RestoredSession.Subscription] = []
        var received: Set<PacketIdentifier> = []
        var sent: [RestoredSession.Sent] = []
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

    mutating func execute(_ command: BackboneCommand) {
        switch command {
        case .append(let append): execute(append)
        case .store(let changes): for change in changes { execute(change) }
        case .trim(let shard, let through): trims[Int(shard)] = max(trims[Int(shard)], through)
        case .fetch: break
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
        case .ended(let client): sessions[ExactText(client)] = nil
        case .subscribed(let client, let filter, let options, let identifier):
            subscribe(client, filter: filter, options: options, identifier: identifier)
        case .unsubscribed(let client, let filter):
            sessions[ExactText(client)]?.subscriptions.removeAll { ExactText($0.filter) == ExactText(filter) }
        case .released(let exchange):
            sessions[exchange.clientIdentifier]?.received.remove(exchange.packetIdentifier)
        case .sending(let client, let sequence, let packetIdentifier):
            sessions[ExactText(client)]?.sent.removeAll { $0.sequence == sequence }
            sessions[ExactText(client)]?.sent.append(
                .init(sequence: sequence, packetIdentifier: packetIdentifier, phase: .sending))
        case .handedOver(let client, let sequence): setPhase(.handedOver, of: sequence, client: client)
        case .finished(let client, let sequence):
            if sessions[ExactText(client)]?.sent.contains(where: { $0.sequence == sequence }) == false {
                sessions[ExactText(client)]?.sent.append(
                    .init(sequence: sequence, packetIdentifier: 0, phase: .finished))
            }
            setPhase(.finished, of: sequence, client: client)
        case .advanced(let client, let through):
            guard var session = sessions[ExactText(client)] else { return }
            session.cursor = max(session.cursor, through)
            sessions[ExactText(client)] = session
        case .groupFinished(let group, let sequence): log[sequence]?.groups.remove(group)
        }
    }

    private mutating func subscribe(
        _ client: String, filter: String, options: SubscriptionOptions, identifier: UInt32
    ) {
        guard var session = sessions[ExactText(client)] else { return }
        let old = session.subscriptions.firstIndex { ExactText($0.filter) == ExactText(filter) }
        let subscription = RestoredSession.Subscription(
            filter: filter, options: options, identifier: identifier,
            since: old.map { session.subscriptions[$0].since } ?? lastSequence)
        if let old {
            session.subscriptions[old] = subscription
        } else {
            session.subscriptions.append(subscription)
        }
        sessions[ExactText(client)] = session
    }

    private mutating func setPhase(_ phase: RestoredSession.Sent.Phase, of sequence: LogSequence, client: String) {
        guard let index = sessions[ExactText(client)]?.sent.firstIndex(where: { $0.sequence == sequence }),
            let old = sessions[ExactText(client)]?.sent[index]
        else { return }
        sessions[ExactText(client)]?.sent[index] = .init(
            sequence: sequence, packetIdentifier: old.packetIdentifier, phase: phase)
    }

    var snapshot: Snapshot {
        var snapshot = Snapshot()
        for (client, session) in sessions { snapshot.sessions.append(Snapshot.text(restored(client, session))) }
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
        restored.subscriptions = session.subscriptions
        restored.received = session.received.sorted()
        restored.sent = session.sent.filter { $0.sequence > session.cursor }
        restored.cursor = session.cursor
        return restored
    }
}
