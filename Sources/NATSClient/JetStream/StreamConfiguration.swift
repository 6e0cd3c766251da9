/// What a stream keeps, where and for how long. What is not here keeps the server's default.
package struct StreamConfiguration: Codable, Hashable, Sendable {
    package enum Storage: String, Codable, Sendable {
        case file, memory
    }

    package enum Retention: String, Codable, Sendable {
        case limits, interest, workqueue
    }

    /// What gives way when a limit is reached.
    package enum Discard: String, Codable, Sendable {
        case old, new
    }

    package var name: String
    package var subjects: [String]
    package var storage = Storage.file
    package var replicas = 1
    package var retention = Retention.limits
    package var discard = Discard.old
    /// -1: any number. The same for the other limits.
    package var maximumMessages: Int64 = -1
    package var maximumMessagesPerSubject: Int64 = -1
    package var maximumBytes: Int64 = -1
    /// Zero: for ever.
    package var maximumAge = Duration.zero
    package var maximumMessageSize: Int32 = -1
    /// For so long a second message with the same `Nats-Msg-Id` is not stored.
    package var duplicateWindow = Duration.seconds(120)
    /// Messages are read from any replica, not only from the leader: faster, and perhaps stale.
    package var allowsDirectGet = true
    /// A message may have a time to live of its own.
    package var allowsMessageTTL = false
    /// A message may replace all before it on its subject.
    package var allowsRollup = false
    package var deniesDelete = false
    /// When the last message of a subject dies of age, a marker of its end lives for so long; zero: no marker.
    package var deleteMarkerTTL = Duration.zero

    package init(name: String, subjects: [String]) {
        self.name = name
        self.subjects = subjects
    }

    private enum CodingKeys: String, CodingKey {
        case name, subjects, storage, retention, discard
        case replicas = "num_replicas"
        case maximumMessages = "max_msgs"
        case maximumMessagesPerSubject = "max_msgs_per_subject"
        case maximumBytes = "max_bytes"
        case maximumAge = "max_age"
        case maximumMessageSize = "max_msg_size"
        case duplicateWindow = "duplicate_window"
        case allowsDirectGet = "allow_direct"
        case allowsMessageTTL = "allow_msg_ttl"
        case allowsRollup = "allow_rollup_hdrs"
        case deniesDelete = "deny_delete"
        case deleteMarkerTTL = "subject_delete_marker_ttl"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        subjects = try values.decodeIfPresent([String].self, forKey: .subjects) ?? []
        storage = try values.decode(Storage.self, forKey: .storage)
        replicas = try values.decode(Int.self, forKey: .replicas)
        retention = try values.decode(Retention.self, forKey: .retention)
        discard = try values.decode(Discard.self, forKey: .discard)
        maximumMessages = try values.decode(Int64.self, forKey: .maximumMessages)
        maximumMessagesPerSubject = try values.decode(Int64.self, forKey: .maximumMessagesPerSubject)
        maximumBytes = try values.decode(Int64.self, forKey: .maximumBytes)
        maximumAge = .nanoseconds(try values.decode(Int64.self, forKey: .maximumAge))
        maximumMessageSize = try values.decode(Int32.self, forKey: .maximumMessageSize)
        duplicateWindow = .nanoseconds(try values.decodeIfPresent(Int64.self, forKey: .duplicateWindow) ?? 0)
        allowsDirectGet = try values.decodeIfPresent(Bool.self, forKey: .allowsDirectGet) ?? false
        allowsMessageTTL = try values.decodeIfPresent(Bool.self, forKey: .allowsMessageTTL) ?? false
        allowsRollup = try values.decodeIfPresent(Bool.self, forKey: .allowsRollup) ?? false
        deniesDelete = try values.decodeIfPresent(Bool.self, forKey: .deniesDelete) ?? false
        deleteMarkerTTL = .nanoseconds(try values.decodeIfPresent(Int64.self, forKey: .deleteMarkerTTL) ?? 0)
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(name, forKey: .name)
        try values.encode(subjects, forKey: .subjects)
        try values.encode(storage, forKey: .storage)
        try values.encode(replicas, forKey: .replicas)
        try values.encode(retention, forKey: .retention)
        try values.encode(discard, forKey: .discard)
        try values.encode(maximumMessages, forKey: .maximumMessages)
        try values.encode(maximumMessagesPerSubject, forKey: .maximumMessagesPerSubject)
        try values.encode(maximumBytes, forKey: .maximumBytes)
        try values.encode(maximumAge.nanoseconds, forKey: .maximumAge)
        try values.encode(maximumMessageSize, forKey: .maximumMessageSize)
        try values.encode(duplicateWindow.nanoseconds, forKey: .duplicateWindow)
        try values.encode(allowsDirectGet, forKey: .allowsDirectGet)
        try values.encode(allowsMessageTTL, forKey: .allowsMessageTTL)
        try values.encode(allowsRollup, forKey: .allowsRollup)
        try values.encode(deniesDelete, forKey: .deniesDelete)
        if deleteMarkerTTL > .zero { try values.encode(deleteMarkerTTL.nanoseconds, forKey: .deleteMarkerTTL) }
    }
}

/// A stream as it is.
package struct StreamInfo: Decodable, Sendable {
    package struct State: Decodable, Sendable {
        package var messages: UInt64
        package var bytes: UInt64
        package var firstSequence: UInt64
        package var lastSequence: UInt64

        private enum CodingKeys: String, CodingKey {
            case messages, bytes
            case firstSequence = "first_seq"
            case lastSequence = "last_seq"
        }
    }

    /// Where it is kept.
    package struct Cluster: Decodable, Sendable {
        package struct Replica: Decodable, Sendable {
            package var name: String
            package var current: Bool
        }

        package var leader: String?
        package var replicas: [Replica]?
    }

    package var config: StreamConfiguration
    package var state: State
    /// nil for a server on its own.
    package var cluster: Cluster?
}
