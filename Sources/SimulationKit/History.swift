package import MQTTModel

/// A message that a client published or left as its will, and what is known of its way.
package struct MessageRecord: Sendable {
    package let number: Int
    /// The client and its session when the message was made; the session is 0 until it is known.
    package let publisher: Int
    package let publisherSession: Int
    package let topic: String
    package let qos: QoS
    package let isRetained: Bool
    package let isWill: Bool
    package let expiryInterval: UInt32?
    /// An empty payload: deletes the retained message, and carries no number that a receiver could tell it by.
    package let isClear: Bool
    package let payload: [UInt8]
    package let userProperty: String?
    /// How often the client has sent it; each may count as a publication of its own with QoS 1.
    package var transmissions = 0
    package var firstSentAt: Instant?
    /// PUBACK or PUBREC with success reached the publisher.
    package var acknowledgedAt: Instant?
    /// The broker refused it.
    package var isRefused = false
}

/// A subscription as its client knows it.
package struct SubscriptionRecord: Sendable {
    package let filter: TopicFilter
    package let options: SubscriptionOptions
    /// Whether the client had the same filter in this session already.
    package let isRepeat: Bool
    package let sentAt: Instant
    package var grantedAt: Instant?
    package var grantedQoS: QoS?
    /// When the client asked to end or to replace it: from here on it is no longer certain.
    package var endAskedAt: Instant?
    /// The client has unsubscribed: what still waits in its queue may be thrown away.
    package var isUnsubscribed = false
}

/// A session of a client: from a CONNACK without Session Present to the next.
package struct SessionRecord: Sendable {
    package let client: Int
    /// Counts up from 1 for each client.
    package let ordinal: Int
    package var subscriptions: [SubscriptionRecord] = []
    /// The broker said that it dropped messages for the session: nothing need arrive.
    package var hasOverflowed = false
    package var endedAt: Instant?
}

/// The broker's process ended and another took its place.
package struct CrashRecord: Sendable {
    package let at: Instant
    /// nil while the broker is down.
    package var restartedAt: Instant?
}

/// What honest clients did and saw, for the checkers.
package final class History {
    package private(set) var messages: [MessageRecord] = []
    package private(set) var sessions: [[SessionRecord]]
    package private(set) var crashes: [CrashRecord] = []
    /// When each client's session went from one node of a flock to another.
    private var moves: [[Instant]]

    package init(clientCount: Int) {
        sessions = Array(repeating: [], count: clientCount)
        moves = Array(repeating: [], count: clientCount)
    }

    /// - Parameter number: makes the payload from the message's number.
    package func addMessage(_ make: (_ number: Int) -> MessageRecord) -> Int {
        messages.append(make(messages.count))
        return messages.count - 1
    }

    package func update(message number: Int, _ change: (inout MessageRecord) -> Void) { change(&messages[number]) }

    package func crashed(at now: Instant) { crashes.append(CrashRecord(at: now)) }

    package func restarted(at now: Instant) {
        guard let last = crashes.indices.last else { return }
        crashes[last].restartedAt = now
    }

    /// How often the broker has crashed since `instant`.
    package func crashCount(since instant: Instant) -> Int { crashes.count { $0.at >= instant } }

    package func moved(_ client: Int, at now: Instant) { moves[client].append(now) }

    /// How often since `instant` what the client had had and acknowledged may have been forgotten.
    package func lapseCount(of client: Int, since instant: Instant) -> Int {
        crashCount(since: instant) + moves[client].count { $0 >= instant }
    }

    package func beginSession(of client: Int, at now: Instant) {
        endSession(of: client, at: now)
        sessions[client].append(SessionRecord(client: client, ordinal: sessions[client].count + 1))
    }

    package func endSession(of client: Int, at now: Instant) {
        guard let last = sessions[client].indices.last, sessions[client][last].endedAt == nil else { return }
        sessions[client][last].endedAt = now
    }

    package func currentSession(of client: Int) -> SessionRecord? { sessions[client].last }

    package func sessionOrdinal(of client: Int) -> Int { sessions[client].count }

    package func session(_ ordinal: Int, of client: Int) -> SessionRecord? {
        ordinal >= 1 && ordinal <= sessions[client].count ? sessions[client][ordinal - 1] : nil
    }

    package func update(session ordinal: Int, of client: Int, _ change: (inout SessionRecord) -> Void) {
        guard ordinal >= 1, ordinal <= sessions[client].count else { return }
        change(&sessions[client][ordinal - 1])
    }

    /// The message that a payload belongs to.
    package func number(ofPayload payload: some Collection<UInt8>) -> Int? {
        guard let number = Int(String(decoding: payload.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)),
            messages.indices.contains(number)
        else { return nil }
        return number
    }
}
