import AccessControl
package import BrokerCore
import MQTTCodec
import MQTTModel
public import NIOCore

/// A network connection as its shard sees it: what was received of a packet that is not whole yet, why it is not read
/// from, and the few things that can be asked of its transport.
///
/// The boundary between `Shard` and a transport. A transport subclasses it, so that a connection is one object with no
/// indirection between the two, and overrides the `open` methods; it tells the shard `opened`, `received`, `written`
/// and `closed`. All of it happens on the shard's event loop.
open class Connection {
    package final let shard: Shard
    /// Its place in the shard's table; nil before `Shard.opened` and after it was let go.
    package final var id: ConnectionID?
    final var decoder: PacketDecoder
    /// Bytes that were received and not decoded: a packet that is not whole, or what arrived while reading was paused.
    final var undecoded: ByteBuffer?
    final var pauses: PauseReasons = []
    /// Bytes given to `writeRest` that are not written yet.
    final var unwrittenBytes: UInt32 = 0

    /// Whether something given to `writeRest` is not written yet.
    package final var hasUnwrittenBytes: Bool { unwrittenBytes > 0 }

    package init(shard: Shard) {
        self.shard = shard
        self.decoder = PacketDecoder(role: .server, maximumPacketSize: shard.limits.maximumPacketSize)
    }

    /// Where it comes from. Made anew at each call for a transport that does not keep it.
    open var origin: ConnectionOrigin? { nil }

    /// The client's IP address, without port; nil where there is none.
    package final var remoteAddress: String? { origin?.transport.address }

    // MARK: What a transport does

    /// Whether the certificate that the client has shown is revoked by now.
    open var isRevoked: Bool { false }

    /// Writes as much of `bytes` as can be written without waiting.
    ///
    /// - Returns: the number of bytes written, or nil when the connection is broken; its end is then told to the shard.
    open func write(_ bytes: UnsafeRawBufferPointer) -> Int? { nil }

    /// Writes all of `bytes` when that is possible, then calls `Shard.written`.
    open func writeRest(_ bytes: ByteBuffer) {}

    /// Starts or stops reading. Reading is on from the start.
    open func setReading(_ isReading: Bool) {}

    /// Closes the connection. The shard has let go of it before and is told `finished` at the end.
    ///
    /// - Parameter farewell: written before, within `Limits.closeTimeout`. What the peer sends meanwhile is thrown away,
    ///   so that it does not turn the close into a reset that destroys the farewell.
    open func close(after farewell: ByteBuffer?) {}

    /// Brings the connection to another shard: its transport ends here without closing the network connection, and
    /// `Shard.adopted` is called on the loop of `handover.home` with its successor.
    open func move(_ handover: Handover) {}
}

/// Why a connection is not read from. It is read again when none is left.
package struct PauseReasons: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The core asked for it.
    package static let core = PauseReasons(rawValue: 1)
    /// It does not take what it is sent.
    package static let notWritable = PauseReasons(rawValue: 2)
    /// The mailbox of a shard that it publishes to is full.
    package static let mailboxFull = PauseReasons(rawValue: 4)
    /// It sends too fast, or memory is short.
    package static let throttled = PauseReasons(rawValue: 16)
    /// It sent what is no packet: nothing after that is decoded, whatever the core does with the connection.
    package static let violated = PauseReasons(rawValue: 8)
}

/// What goes with a connection to its home shard: its CONNECT, and what arrived behind it. A class, so that a connection
/// keeps only a reference to the one it hardly ever has.
public final class Handover: Sendable {
    package let home: Shard
    let decoder: PacketDecoder
    let packet: Packet
    let undecoded: ByteBuffer?

    init(home: Shard, decoder: PacketDecoder, packet: Packet, undecoded: ByteBuffer?) {
        self.home = home
        self.decoder = decoder
        self.packet = packet
        self.undecoded = undecoded
    }
}
