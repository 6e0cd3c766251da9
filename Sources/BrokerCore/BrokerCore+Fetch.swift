import AccessControl
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
    /// It is the turn of one of them.
    var isServingWaiting = false
}

/// Reading messages back from the log when their turn has come: a bounded batch at a time, for a bounded number of
/// sessions at a time. The others wait in line, and often find what they need in the cache when it is their turn.
extension BrokerCore {
    /// Time until a read that has failed is tried again.
    static let fetchRetryDelay: Duration = .milliseconds(250)

    /// The message of the first entry of `queue`.
    mutating func content(of entry: QueuedEntry, in queue: SessionQueue) -> LogCache.Content {
        guard entry.holdsMessage else { return content(entry.sequence) }
        guard let message = queue.firstHeld else { preconditionFailure("an entry has the message that it says") }
        return .message(message)
    }

    private mutating func content(_ sequence: LogSequence) -> LogCache.Content {
        let content = log.cache.content(sequence)
        switch content {
        case .message: counters.logCacheHits += 1
        case .gone: break
        case .unknown: if sequence <= droppedThrough { return .gone }
        }
        return content
    }

    /// A message of the window that was released when its client went away is to be sent again.
    /// - Returns: false when it has to be read first; else what is next in the window has to be asked anew.
    mutating func bringBack(
        _ entry: InflightMessage, of session: Session, into effects: inout Effects
    ) -> Bool {
        let identifier = entry.packetIdentifier
        switch content(entry.sequence) {
        case .message(let message):
            if session.access?.permitReceiving(message.topic) == false {
                counters.deliveriesDenied += 1
                session.inflight.abandon(identifier)
                finished(entry, of: session, into: &effects)
            } else {
                session.inflight.giveBack(message, to: identifier)
            }
        case .gone:
            counters.droppedByRetention += 1
            if entry.phase == .awaitingPubRec, !entry.isUnsent {
                session.inflight.messageLost(identifier)
            } else {
                session.inflight.abandon(identifier)
                finished(entry, of: session, into: &effects)
            }
        case .unknown:
            requestFetch(for: session, into: &effects)
            return false
        }
        return true
    }

    /// What is next for the session has to be read.
    mutating func requestFetch(for session: Session, into effects: inout Effects) {
        guard session.fetch == .none else { return }
        guard log.fetches.count < limits.maximumConcurrentFetches, log.waiting.isEmpty || log.isServingWaiting else {
            // Behind those that wait already, though there be room: it is theirs.
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
        guard let online = session.online else { return [] }
        let sentCount = session.inflight.count - session.inflight.resendCount
        let room = max(online.window - sentCount, online.window / 4, 1)
        var left = min(room, limits.maximumFetchedMessages)
        var bytes = 0
        var sequences: [LogSequence] = []
        /// - Returns: whether there is room for more.
        func add(_ sequence: LogSequence, _ byteCount: UInt32, isMissing: Bool) -> Bool {
            bytes += Int(byteCount)
            guard left > 0, bytes <= limits.maximumFetchedBytes || sequences.isEmpty else { return false }
            left -= 1
            if isMissing, !log.cache.contains(sequence) { sequences.append(sequence) }
            return true
        }
        for entry in session.inflight.entriesToResend {
            guard add(entry.sequence, entry.byteCount, isMissing: entry.isReleased) else { return sequences }
        }
        guard let queue = session.queue else { return sequences }
        for entry in queue.all {
            guard add(entry.sequence, entry.byteCount, isMissing: !entry.holdsMessage) else { return sequences }
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
            log.isServingWaiting = true
            budget -= pump(session, at: now, into: &effects)
            log.isServingWaiting = false
            guard budget > 0 else {
                if !log.waiting.isEmpty { arm(.fetchTurns, at: now) }
                return
            }
        }
    }
}
