import Backbone
import MQTTModel
import TopicIndex

/// What `dunlin inspect` shows: gathered in the order in which a store is read, sessions, retained messages, the log.
struct StoreContents {
    private struct Session {
        let restored: RestoredSession
        let isConnected: Bool
        let finished: Set<LogSequence>
        var queued = 0
    }

    private var sessions: [Session] = []
    private var retained: [(topic: String, bytes: Int)] = []
    private var retainedBytes = 0
    private var logMessages = 0
    private var logBytes = 0
    private var firstSequence: LogSequence = 0
    private var lastSequence: LogSequence = 0
    private var waiting: [SharedGroup: Int] = [:]
    private let index = IndexBox()
    /// Beginnings and ends of subscriptions in the order in which the log passes them, the next one last.
    private var upcoming: [(place: LogSequence, isEnd: Bool, session: UInt32, RestoredSession.Subscription)] = []
    private var isSorted = false

    mutating func add(_ session: RestoredSession, isConnected: Bool) {
        let slot = UInt32(sessions.count)
        for subscription in session.subscriptions {
            upcoming.append((subscription.since, false, slot, subscription))
            if let until = subscription.until { upcoming.append((until, true, slot, subscription)) }
        }
        sessions.append(
            Session(
                restored: session, isConnected: isConnected,
                finished: Set(session.sent.lazy.filter { $0.phase == .finished }.map(\.exchange.sequence))))
    }

    mutating func add(retained message: ApplicationMessage) {
        retained.append((message.topicString, message.payloadLength))
        retainedBytes += message.byteCount
    }

    mutating func add(_ entry: LogEntry, waiting groups: [SharedGroup]) {
        if logMessages == 0 { firstSequence = entry.sequence }
        lastSequence = entry.sequence
        logMessages += 1
        logBytes += entry.message.byteCount
        for group in groups { waiting[group, default: 0] += 1 }
        makeSubscriptions(before: entry.sequence)
        if entry.message.expiryInterval == 0 { return }
        for match in index.match(entry.message.topic) {
            let slot = Int(match.subscriber)
            let session = sessions[slot]
            guard match.maximumQoS > .atMostOnce, entry.sequence > session.restored.cursor,
                !session.finished.contains(entry.sequence)
            else { continue }
            let isOwn = entry.message.publisherHash == StableHash.hash(session.restored.clientIdentifier)
            if !isOwn || !match.excludesPublisher { sessions[slot].queued += 1 }
        }
    }

    /// A subscription wants what was logged after it was made and before it ended.
    private mutating func makeSubscriptions(before sequence: LogSequence) {
        if !isSorted {
            upcoming.sort { ($0.place, $0.isEnd ? 0 : 1) > ($1.place, $1.isEnd ? 0 : 1) }
            isSorted = true
        }
        while let (place, isEnd, session, subscription) = upcoming.last, place < sequence {
            upcoming.removeLast()
            guard let filter = TopicFilter(subscription.filter), !filter.isShared else { continue }
            if isEnd {
                index.unsubscribe(session, from: filter.pattern)
            } else {
                index.subscribe(session, to: filter.pattern, options: subscription.options)
            }
        }
    }

    var totals: [String] {
        let connected = sessions.count(where: \.isConnected)
        // A client's acknowledgements are noted together, every half second.
        let asOf = connected == 0 ? "" : " half a second ago"
        let queued = sessions.reduce(0) { $0 + $1.queued }
        let range = logMessages == 0 ? "" : ", sequences \(firstSequence) to \(lastSequence)"
        return [
            "log: \(logMessages) messages, \(logBytes) bytes\(range)",
            "sessions: \(sessions.count), \(connected) connected, \(queued) messages queued\(asOf)",
            "retained: \(retained.count) messages, \(retainedBytes) bytes",
        ]
    }

    var lines: [String] {
        var lines: [String] = []
        if !sessions.isEmpty {
            lines += ["", "QUEUED  UNFINISHED  SUBSCRIPTIONS  STATE         EXPIRES     WILL  SESSION"]
            lines += sessions.map(line)
        }
        if !waiting.isEmpty {
            lines += ["", "WAITING  SHARED SUBSCRIPTION"]
            lines += waiting.map { "\(pad($0.value, 7))  \(quoted("$share/\($0.key.name)/\($0.key.pattern)"))" }
                .sorted()
        }
        if !retained.isEmpty {
            lines += ["", "BYTES     RETAINED TOPIC"]
            lines += retained.map { "\(pad($0.bytes, 8))  \(quoted($0.topic))" }
        }
        return lines.isEmpty ? [] : lines + [""]
    }

    private func line(_ session: Session) -> String {
        let restored = session.restored
        let unfinished = restored.received.count + restored.sent.count { $0.phase != .finished }
        let expires = restored.expiresIn.map { "\($0)" } ?? "never"
        return pad(session.queued, 6) + "  " + pad(unfinished, 10) + "  "
            + pad(restored.subscriptions.count { $0.until == nil }, 13) + "  "
            + pad(session.isConnected ? "connected" : "disconnected", 12) + "  " + pad(expires, 10) + "  "
            + pad(restored.will == nil ? "" : "yes", 4) + "  " + quoted(restored.clientIdentifier)
    }

    private func pad(_ value: some CustomStringConvertible, _ width: Int) -> String {
        let text = value.description
        return text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Clients choose these texts, and may choose what a terminal takes for commands.
    private func quoted(_ text: String) -> String { text.debugDescription }
}

/// The index is not copyable; the contents are.
private final class IndexBox {
    private var index = SubscriptionIndex()

    func subscribe(_ session: UInt32, to pattern: String, options: SubscriptionOptions) {
        _ = index.subscribe(session, to: pattern, options: options, identifier: 0)
    }

    func unsubscribe(_ session: UInt32, from pattern: String) { _ = index.unsubscribe(session, from: pattern) }

    func match(_ topic: UnsafeRawBufferPointer) -> [MatchedSubscriber] { index.match(topic).subscribers }
}
