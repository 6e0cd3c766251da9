import Backbone
import DequeModule
import MQTTModel
import MQTTSession

/// What a shard reads from the log for sessions that have only the places of their messages.
struct LogReading {
    /// What the backbone was asked for, and by which session.
    struct Fetch {
        let session: UInt32
        let generation: UInt32
        let sequences: [LogSequence]
    }

    var cache: LogCache
    /// What was asked and is not answered.
    var fetches: [BackboneToken: Fetch] = [:]
    /// Sessions whose turn it is when one of them is answered.
    var waiting: Deque<(session: UInt32, generation: UInt32)> = []
}

/// Reading messages back from the log when their turn has come: a bounded batch at a time, for a bounded number of
/// sessions at a time. The others wait in line, and often find what they need in the cache when it is their turn.
extension BrokerCore {
    /// Time until a read that has failed is tried again.
    static let fetchRetryDelay: Duration = .milliseconds(250)

    /// The message of the first entry of `queue`.
    mutating func find(_ entry: QueuedEntry, of queue: SessionQueue) -> LogCache.Content {
        if entry.holdsMessage {
            guard let message = queue.firstHeld else { preconditionFailure("an entry has the message that it says") }
            return .message(message)
        }
        let content = log.cache.content(entry.sequence)
        switch content {
        case .message: counters.logCacheHits += 1
        case .gone: break
        case .unknown: if entry.sequence <= droppedThrough { return .gone }
        }
        return content
    }

    /// The first message in the session's queue has to be read.
    mutating func requestFetch(for session: Session, into effects: inout Effects) {
        guard session.fetch == .none else { return }
        guard log.fetches.count < limits.maximumConcurrentFetches else {
            session.fetch = .waiting
            log.waiting.append((session.slot, session.generation))
            return
        }
        let sequences = missingSequences(of: session)
        counters.logCacheMisses += UInt64(sequences.count)
        let token = makeToken()
        session.fetch = .asked(token)
        log.fetches[token] = LogReading.Fetch(
            session: session.slot, generation: session.generation, sequences: sequences)
        effects.all.append(.execute(token, .fetch(sequences)))
    }

    /// What the session's window can take now and is not at hand; when that is little, a part of the window, so that a
    /// client that acknowledges one by one does not cost a read each.
    private func missingSequences(of session: Session) -> [LogSequence] {
        guard let online = session.online, let queue = session.queue else { return [] }
        let room = max(online.window - session.inflight.count, online.window / 4, 1)
        var left = min(room, limits.maximumFetchedMessages)
        var bytes = 0
        var sequences: [LogSequence] = []
        for entry in queue.all {
            bytes += Int(entry.byteCount)
            if left == 0 || (bytes > limits.maximumFetchedBytes && !sequences.isEmpty) { break }
            left -= 1
            if !entry.holdsMessage, !log.cache.contains(entry.sequence) { sequences.append(entry.sequence) }
        }
        return sequences
    }

    /// The backbone has read; nil: it could not.
    mutating func messagesFetched(
        _ token: BackboneToken, _ found: [LogEntry]?, at now: Instant, into effects: inout Effects
    ) {
        guard let fetch = log.fetches.removeValue(forKey: token) else { return }
        var session = sessions.session(slot: fetch.session, generation: fetch.generation)
        if session?.fetch != .asked(token) { session = nil }
        if let found {
            for entry in found where entry.message.expiryInterval != nil { entry.message.receivedAt = now }
            log.cache.insert(found, asked: fetch.sequences)
            session?.fetch = .none
            if let session { pump(session, at: now, into: &effects) }
        } else {
            counters.fetchesFailed += 1
            session?.fetch = .failed
            if session != nil {
                arm(
                    .fetchRetry(slot: fetch.session, generation: fetch.generation),
                    at: now.advanced(by: BrokerCore.fetchRetryDelay))
            }
        }
        serveWaiting(at: now, into: &effects)
    }

    /// Lets sessions go on that wait for others to be served, as far as a step may send.
    mutating func serveWaiting(at now: Instant, into effects: inout Effects) {
        var budget = BrokerCore.pumpBytes
        while log.fetches.count < limits.maximumConcurrentFetches, let next = log.waiting.popFirst() {
            guard let session = sessions.session(slot: next.session, generation: next.generation),
                session.fetch == .waiting
            else { continue }
            session.fetch = .none
            budget -= pump(session, at: now, into: &effects)
            guard budget > 0 else {
                if !log.waiting.isEmpty { arm(.fetchTurns, at: now) }
                return
            }
        }
    }
}
