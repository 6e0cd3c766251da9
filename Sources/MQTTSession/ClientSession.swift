import DequeModule
package import MQTTModel

/// The client's side of the protocol, for 3.1, 3.1.1 and 5.0, as a pure state machine: connecting and connecting again,
/// both directions of QoS 0 to 2, packet identifiers, the server's limits, topic aliases, keep alive.
///
/// The value outlives its connections: it is the session. What happened goes in, with the time; what has to be done is
/// appended to `actions`.
///
/// The driver's duties:
/// 1. Open a network connection, then call `connect`; do the actions of each call in their order.
/// 2. Report the end of a network connection with `connectionLost`, unless a `close` action asked for it.
/// 3. Call `deadlineReached` when `deadline` has come; it may change with every call. Too early does no harm.
/// 4. `now` never goes back.
/// 5. Say with `readingPaused` and `readingResumed` when it stops reading, so that a PINGRESP that nobody reads is not
///    taken for a dead server.
package struct ClientSession: ~Copyable {
    /// No transition but those named here.
    enum Connection {
        /// Can transition to: awaitingConnAck.
        case none
        /// CONNECT was sent. Can transition to: accepted, none.
        case awaitingConnAck(Attempt)
        /// Can transition to: none.
        case accepted(Link)
    }

    struct Attempt {
        let deadline: Instant
    }

    struct Link {
        let limits: ServerLimits
        /// QoS 1 and 2 messages that may be sent and not acknowledged.
        let window: Int
        var lastSentAt: Instant
        var lastReceivedAt: Instant
        /// When the PINGREQ that has no answer yet was sent.
        var pingSentAt: Instant?
        var isReadingPaused = false
    }

    package let limits: ClientLimits
    /// The CONNECT of the present or the last connection.
    package internal(set) var connect: Connect
    /// The client identifier; the one that the server assigned, if it did [MQTT-3.2.2-16].
    package internal(set) var clientIdentifier: String

    var connection: Connection = .none
    /// Counts the connections, so that what belongs to an earlier one is recognised.
    var connectionEpoch: UInt64 = 0
    /// Counts the sessions, likewise; 0 until the first connection is accepted.
    var sessionEpoch: UInt64 = 0

    // The session's state (section 4.1), but for `queue`, which holds what was never sent.
    var inflight = ClientInflight()
    var received = ClientReceived()

    var queue: Deque<QueuedPublish> = []
    var queuedBytes = 0
    var requests: [ClientRequest] = []
    var receivedAliases = ReceivedTopicAliases(maximum: 0)
    var sentAliases = SentTopicAliases(maximum: 0)
    private var lastToken: UInt64 = 0
    private var lastPacketIdentifier: PacketIdentifier = 0

    package init(limits: ClientLimits = ClientLimits()) {
        self.limits = limits
        self.connect = Connect(version: .v5_0, clientIdentifier: "")
        self.clientIdentifier = ""
    }

    package var version: ProtocolVersion { connect.version }

    package var isConnected: Bool {
        if case .accepted = connection { true } else { false }
    }

    /// QoS 1 and 2 publications that have not ended.
    package var unfinishedCount: Int { inflight.count + queue.count }

    /// QoS 1 and 2 messages from the server that wait to be acknowledged or released on this connection.
    package var unacknowledgedCount: Int { received.unfinishedCount }

    /// Whether `publish` would take a message of QoS 1 or 2.
    package var hasRoom: Bool {
        queue.count < limits.maximumQueuedMessages && (queue.isEmpty || queuedBytes < limits.maximumQueuedBytes)
    }

    // MARK: What all parts share

    mutating func makeToken() -> UInt64 {
        lastToken += 1
        return lastToken
    }

    /// A packet identifier that nothing unfinished has [MQTT-2.2.1-2, MQTT-2.2.1-3]. There always is one: windows and
    /// requests together stay far below 65,535.
    mutating func makePacketIdentifier() -> PacketIdentifier {
        repeat {
            lastPacketIdentifier = lastPacketIdentifier == .max ? 1 : lastPacketIdentifier + 1
        } while inflight.contains(lastPacketIdentifier) || hasRequest(lastPacketIdentifier)
        return lastPacketIdentifier
    }

    mutating func send(_ packet: Packet, at now: Instant, into actions: inout [ClientAction]) {
        if case .accepted(var link) = connection {
            link.lastSentAt = now
            connection = .accepted(link)
        }
        actions.append(.send(packet))
    }
}
