import Backbone
import MQTTModel

/// What a lasting engine holds: its contract, written to be read and not to be fast. Everything is in the order in which
/// it was made, so that a restart is the same each time.
struct SimulatedStore {
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
        case .fetch, .claim: break
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
            change(exchange.clientIdentifier.string) { $0.receive(exchange.packetIdentifier) }
        }
        if let client = append.willOf {
            change(client) { $0.willPublished() }
        }
        return LogEntry(sequence: sequence, message: append.message, publisher: append.publisher)
    }

    private mutating func execute(_ sessionChange: SessionChange, at now: Instant) {
        switch sessionChange {
        case .began(let client):
            sessions.removeAll { $0.clientIdentifier == client }
            sessions.append(StoredSession(clientIdentifier: client, since: lastSequence))
        case .connected(let client, _, _):
            if !sessions.contains(where: { $0.clientIdentifier == client }) {
                sessions.append(StoredSession(clientIdentifier: client, since: lastSequence))
            }
        case .ended(let client), .departed(let client): sessions.removeAll { $0.clientIdentifier == client }
        case .wished: lastPosition += 1
        case .groupFinished(let group, let sequence):
            guard let index = log.firstIndex(where: { $0.sequence == sequence }) else { return }
            log[index].groups.removeAll { $0 == group }
        case .disconnected, .subscribed, .unsubscribed, .fulfilled, .released, .sending, .handedOver, .finished,
            .advanced, .groupPassed:
            break
        }
        guard let client = sessionChange.clientIdentifier else { return }
        let (sequence, position) = (lastSequence, lastPosition)
        change(client) { $0.apply(sessionChange, at: sequence, position: position, now: now) }
    }

    private mutating func change(_ client: String, _ body: (inout StoredSession) -> Void) {
        guard let index = sessions.firstIndex(where: { $0.clientIdentifier == client }) else { return }
        body(&sessions[index])
    }
}

// MARK: - After a crash

extension SimulatedStore {
    /// A new process takes it over.
    mutating func restart(at now: Instant) {
        for index in sessions.indices { sessions[index].connectionLost(at: now) }
    }

    func restoredSessions(at now: Instant) -> [RestoredSession] { sessions.map { $0.restored(at: now) } }

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
        stored.message.expiryInterval.map { stored.storedAt.advanced(seconds: $0).wholeSeconds(from: now) }
    }

    private func copy(of stored: StoredMessage, at now: Instant) -> ApplicationMessage {
        let copy = stored.message.copy(withTopic: stored.message.topic)
        copy.expiryInterval = expiry(of: stored, at: now)
        copy.receivedAt = now
        return copy
    }
}
