package import Backbone
package import Flock
package import NATSClient

/// How a node reaches its flock, and what it asks of the servers.
package struct FlockOptions: Sendable {
    /// The node's name: another for each node of a flock, the same after a restart.
    package var node: String
    package var nats: NATSOptions
    /// Of the broker, for the other nodes' operators.
    package var version = ""
    /// The stream that is the log; its subject has the same name in lower case.
    package var stream = "DUNLIN"
    /// Servers that have to have a batch before it counts as stored: 1, 3 or 5.
    package var replicas = 1
    /// Bytes of the log above which nothing more is taken; -1: as much as the servers give.
    package var maximumLogBytes: Int64 = -1
    /// What of the log is held for sessions that do not come for it; 1 GiB and 30 days, as the embedded engine.
    package var held = FlockState.HeldBounds(bytes: 1 << 30, seconds: 30 * 86_400)
    /// Bytes of the log after which there is another snapshot; never more often than a snapshot is large.
    package var snapshotInterval: UInt64 = 64 << 20
    /// Bytes of one message of a snapshot.
    package var snapshotChunkBytes = 1 << 19
    /// Time after a snapshot that could not be written.
    package var snapshotRetryDelay: Duration = .seconds(60)
    /// Time after a snapshot for slower nodes to have read that far, before the log goes that is older.
    package var purgeDelay: Duration = .seconds(30)
    /// For so long the servers recognise a batch that is sent again.
    package var duplicateWindow: Duration = .seconds(20 * 60)
    package var log = FlockLog.Options()
    /// Time for a batch to be stored before it is sent again.
    package var writeTimeout: Duration = .seconds(1)
    /// Time between two beats by which the others know that a node lives, and how many may be missing before it is taken
    /// for dead.
    package var beatInterval: Duration = .seconds(1)
    package var missedBeats = 5
    /// Bytes of messages for other nodes that wait for the connection; what comes then is dropped (QoS 0).
    package var maximumBroadcastBytes = 16 << 20
    /// Time for the servers to be there, and to have a leader, when the node starts.
    package var startTimeout: Duration = .seconds(30)
    /// Time at the end for what was submitted to be stored.
    package var stopTimeout: Duration = .seconds(3)

    /// Which members of shared subscriptions come first for what the node publishes.
    package var preference: MemberPreference {
        get { log.preference }
        set { log.preference = newValue }
    }

    package init(node: String, nats: NATSOptions) {
        self.node = node
        self.nats = nats
    }

    /// Whether a node may have this name: it is a word of subjects.
    package static func isNodeName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }
}

/// Why a node cannot take up its work or go on with it; a text for people.
package struct FlockError: Error, Hashable, CustomStringConvertible {
    package enum Remedy: Sendable {
        /// Somebody has to look after it.
        case person
        /// The node can begin anew, and what it has not acknowledged is its clients' to send again.
        case beginning
        /// It may be over in a while: there are no servers.
        case waiting
    }

    package let description: String
    package let remedy: Remedy

    package init(_ description: String, remedy: Remedy = .person) {
        self.description = description
        self.remedy = remedy
    }
}
