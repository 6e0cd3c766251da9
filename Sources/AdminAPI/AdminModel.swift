/// What the administration answers and takes, as JSON. Names are those of the standard; durations are in seconds.

/// One node.
package struct NodeRow: Codable, Sendable, Hashable {
    package var name: String
    package var version: String
    package var isReady: Bool
    /// Why it is not ready.
    package var reasons: [String]
    package var isDraining: Bool
    package var uptimeSeconds: Int
    package var listeners: [String]
    package var connections: Int
    package var clients: Int
    package var sessions: Int
    package var subscriptions: Int
    package var retainedMessages: Int
    /// In a flock, with what is not known of a node left as it was last heard: whether it is `up`, `draining`, `silent`, or
    /// has `ended`.
    package var state: State?
    /// Since it was last heard.
    package var silentSeconds: Int?
    /// Batches of the log that it has still to read.
    package var lagBatches: Int?
    /// For how long the servers have owed it an answer.
    package var lagMilliseconds: Int?

    package enum State: String, Codable, Sendable {
        case up, draining, silent, ended
    }
}

/// A session, and its client if that is connected.
package struct SessionRow: Codable, Sendable, Hashable {
    package var clientIdentifier: String
    package var isConnected: Bool
    package var userName: String?
    package var address: String?
    package var version: String?
    package var connectedSeconds: Int?
    /// One and a half times the keep alive.
    package var keepAliveTimeoutSeconds: Double?
    /// 4294967295 is for ever.
    package var sessionExpiryInterval: UInt32
    package var subscriptions: Int
    package var queuedMessages: Int
    package var queuedBytes: Int
    package var inflightMessages: Int
}

package struct SubscriptionRow: Codable, Sendable, Hashable {
    package var clientIdentifier: String
    package var filter: String
    package var maximumQoS: Int
}

package struct RetainedRow: Codable, Sendable, Hashable {
    package var topic: String
    package var qos: Int
    package var payloadBytes: Int
    /// Seconds until it expires; nil: it does not.
    package var expirySeconds: UInt32?
}

package struct BanRow: Codable, Sendable, Hashable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case client, user, address
    }

    /// A hundred years.
    package static let longestSeconds = 3_155_760_000

    package var kind: Kind
    package var value: String
    /// How long it holds, from now on; nil: until it is lifted.
    package var seconds: Int?
    package var reason: String?

    package init(kind: Kind, value: String, seconds: Int? = nil, reason: String? = nil) {
        self.kind = kind
        self.value = value
        self.seconds = seconds
        self.reason = reason
    }
}

/// A part of a list.
package struct ListPage<Row: Codable & Sendable>: Codable, Sendable {
    package var items: [Row]
    /// Ask with this as `after` for what follows; nil at the end.
    package var next: String?

    package init(items: [Row], next: String? = nil) {
        self.items = items
        self.next = next
    }
}

/// How to drain; what is not said is as the configuration has it.
package struct DrainOrder: Codable, Sendable, Hashable {
    /// Another node of the flock.
    package var node: String?
    /// Take clients again.
    package var isUndone: Bool?
    package var connectionsPerSecond: Int?
    package var serverReference: String?
    /// Clients are to remember the server they are sent to.
    package var isPermanent: Bool?

    package init(
        node: String? = nil, isUndone: Bool? = nil, connectionsPerSecond: Int? = nil, serverReference: String? = nil,
        isPermanent: Bool? = nil
    ) {
        self.node = node
        self.isUndone = isUndone
        self.connectionsPerSecond = connectionsPerSecond
        self.serverReference = serverReference
        self.isPermanent = isPermanent
    }
}

/// What became of a request to change something.
package struct Outcome: Codable, Sendable, Hashable {
    /// In words for people.
    package var message: String
    /// How many things were changed.
    package var count: Int?

    package init(_ message: String, count: Int? = nil) {
        self.message = message
        self.count = count
    }
}

package struct LogLevelRow: Codable, Sendable, Hashable {
    package var level: String

    package init(level: String) { self.level = level }
}

/// Whether the broker lives, or is ready, and why not.
package struct HealthRow: Codable, Sendable, Hashable {
    package var status: String
    package var reasons: [String]
}

/// Why a request was refused.
package struct Refusal: Codable, Sendable, Hashable {
    package struct Reason: Codable, Sendable, Hashable {
        package var message: String
    }

    package var error: Reason
}
