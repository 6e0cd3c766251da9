import BrokerCore
import MQTTCodec
import MQTTModel
import struct NIOCore.ByteBuffer

/// A client's end of a network connection to a `CoreDriver`: never used again for another one.
package struct DriverConnection: Sendable, Hashable, Comparable {
    /// Counts up from 0 in the order in which connections were opened.
    package let index: Int

    package static func < (left: DriverConnection, right: DriverConnection) -> Bool { left.index < right.index }
}

/// What the driver knows of a connection.
struct ConnectionState {
    /// Where it lives; nil once the core has closed it or has been told that it ended.
    var location: Location?
    /// Knows the version as soon as a CONNECT was decoded, or refused for its version.
    var decoder: PacketDecoder
    /// Whether the first packet has been decoded: until then a CONNECT may move the connection to its home shard.
    var hasReceivedPacket = false
    /// The core has asked to read no more for now.
    var isReadingPaused = false
    /// What the core was told last.
    var isWritable = true
    /// Received and not decoded yet: part of a packet, or packets behind a pause.
    var inbound = ByteBuffer()
    /// Sent by the broker and not taken yet.
    var outbound = ByteBuffer()
    /// The core closed the connection: it ends once `outbound` has been taken.
    var isClosedByBroker = false
    /// The client's end, when a test asks for packets and not for bytes.
    var receiver: PacketReceiver?

    init(maximumPacketSize: UInt32) {
        decoder = PacketDecoder(role: .server, maximumPacketSize: maximumPacketSize)
    }

    struct Location {
        var shard: Int
        var identifier: ConnectionID
    }
}

extension ConnectionState {
    /// The next packet of `inbound`; nil when more bytes are needed.
    mutating func decodePacket(pool: inout MessagePool) throws(ProtocolViolation) -> Packet? {
        try inbound.decodePacket(with: &decoder, pool: &pool)?.packet
    }
}
