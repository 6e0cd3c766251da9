import MQTTCodec
import MQTTModel
import NIOCore

/// One network connection of the client, and the bytes on their way. Confined to the engine.
final class ClientLink {
    let channel: any Channel
    /// Tells the connections apart: what is reported of an earlier one is ignored.
    let number: UInt64
    let version: ProtocolVersion
    /// Not decoded is, while reading is paused, no more than what one read brought, and one packet.
    var inbound: PacketStream
    var outbound: ByteBuffer
    var isFlushScheduled = false
    var isReadingPaused = false
    var isDecoding = false

    init(channel: any Channel, number: UInt64, version: ProtocolVersion, maximumPacketSize: UInt32) {
        self.channel = channel
        self.number = number
        self.version = version
        inbound = PacketStream(role: .client, version: version, maximumPacketSize: maximumPacketSize)
        outbound = channel.allocator.buffer(capacity: 0)
    }

    /// Outbound bytes from which a QoS 0 publication waits for those before it to leave.
    static let outboundHighWatermark = 1 << 17

    var isWritable: Bool { channel.isWritable && outbound.readableBytes < ClientLink.outboundHighWatermark }

    func append(_ packet: Packet) {
        PacketEncoder.append(packet, version: version, to: &outbound)
    }

    /// Hands what was appended to the channel.
    func flush() {
        guard outbound.readableBytes > 0 else { return }
        let bytes = outbound
        outbound = channel.allocator.buffer(capacity: 0)
        channel.writeAndFlush(bytes, promise: nil)
    }

    /// Time for the last bytes to leave and for the server to close, before the connection is cut.
    private static let closeTimeout = TimeAmount.seconds(1)

    /// Sends what was appended and closes: this side first, then, when the server has closed its own, all. A close while
    /// there is something to read would throw away what the server has not read yet, the DISCONNECT.
    func close() {
        let bytes = outbound
        outbound.clear()
        let channel = channel
        channel.setOption(.autoRead, value: true).whenComplete { _ in }
        let timeout = channel.eventLoop.scheduleTask(in: ClientLink.closeTimeout) { channel.close(promise: nil) }
        channel.writeAndFlush(bytes).whenComplete { _ in
            channel.close(mode: .output).whenFailure { _ in channel.close(promise: nil) }
        }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }
}
