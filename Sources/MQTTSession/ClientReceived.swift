import MQTTModel

/// The QoS 1 and 2 messages from the server that are not finished: what makes a QoS 2 message arrive once, and what the
/// client's Receive Maximum is held against.
struct ClientReceived {
    struct ExactlyOnce {
        /// The connection on which the server sent it last.
        var connection: UInt64
        /// Whether the application has taken it, so that PUBREC is due.
        var isTaken: Bool
    }

    enum Arrival {
        /// A message the application has not had.
        case new
        /// A QoS 2 message the application has already; PUBREC is due again.
        case taken
        /// A QoS 2 message that the application was given and has not taken yet.
        case waiting
    }

    /// QoS 2 messages between their PUBLISH and their PUBREL.
    private var exactlyOnce: [PacketIdentifier: ExactlyOnce] = [:]
    /// QoS 1 and 2 messages received on the present connection that the client has not finished.
    private(set) var unfinishedCount = 0

    /// Quotas begin anew with each connection (5.0 section 4.9).
    mutating func startConnection() { unfinishedCount = 0 }

    mutating func removeAll() { exactlyOnce.removeAll() }

    mutating func receiveAtLeastOnce() { unfinishedCount += 1 }
    mutating func finishAtLeastOnce() { unfinishedCount -= 1 }

    mutating func receiveExactlyOnce(_ packetIdentifier: PacketIdentifier, connection: UInt64) -> Arrival {
        guard var known = exactlyOnce[packetIdentifier] else {
            exactlyOnce[packetIdentifier] = ExactlyOnce(connection: connection, isTaken: false)
            unfinishedCount += 1
            return .new
        }
        if known.connection != connection {
            known.connection = connection
            exactlyOnce[packetIdentifier] = known
            unfinishedCount += 1
        }
        return known.isTaken ? .taken : .waiting
    }

    /// The application has taken the message.
    /// - Returns: the connection it came on last; nil when it is not known.
    mutating func take(_ packetIdentifier: PacketIdentifier) -> UInt64? {
        exactlyOnce[packetIdentifier]?.isTaken = true
        return exactlyOnce[packetIdentifier]?.connection
    }

    /// PUBREL came.
    /// - Returns: false when the identifier is not known.
    mutating func release(_ packetIdentifier: PacketIdentifier, connection: UInt64) -> Bool {
        guard let known = exactlyOnce.removeValue(forKey: packetIdentifier) else { return false }
        if known.connection == connection { unfinishedCount -= 1 }
        return true
    }
}
