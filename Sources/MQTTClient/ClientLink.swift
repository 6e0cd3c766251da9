import MQTTCodec
import MQTTModel
import NIOCore

/// One network connection of the client, and the bytes on their way. Confined to the engine.
final class ClientLink {
    let channel: any Channel
    /// Tells the connections apart: what is reported of an earlier one is ignored.
    let number: UInt64
    let version: ProtocolVersion
    var decoder: PacketDecoder
    var pool = MessagePool()
    /// Received and not decoded: while reading is paused no more than what one read brought, and one packet.
    var inbound: ByteBuffer
    var outbound: ByteBuffer
    var isFlushScheduled = false
    var isReadingPaused = false
    var isDecoding = false

    init(channel: any Channel, number: UInt64, version: ProtocolVersion, maximumPacketSize: UInt32) {
        self.channel = channel
        self.number = number
        self.version = version
        decoder = PacketDecoder(role: .client, version: version, maximumPacketSize: maximumPacketSize)
        inbound = channel.allocator.buffer(capacity: 0)
        outbound = channel.allocator.buffer(capacity: 0)
    }

    /// Outbound bytes from which a QoS 0 publication waits for those before it to leave.
    static let outboundHighWatermark = 1 << 17

    var isWritable: Bool { channel.isWritable && outbound.readableBytes < ClientLink.outboundHighWatermark }

    func append(_ packet: Packet) {
        PacketEncoder.append(packet, version: version, to: &outbound)
    }

    func receive(_ bytes: ByteBuffer) {
        guard inbound.readableBytes > 0 else {
            inbound = bytes
            return
        }
        inbound.discardReadBytes()
        inbound.writeImmutableBuffer(bytes)
    }

    /// The next packet of what was received; nil when it is not there as a whole.
    func nextPacket() throws(ProtocolViolation) -> Packet? {
        let result: Result<DecodedPacket?, ProtocolViolation> = inbound.withUnsafeReadableBytes { bytes in
            do throws(ProtocolViolation) {
                return .success(try decoder.decode(bytes, pool: &pool))
            } catch {
                return .failure(error)
            }
        }
        guard let decoded = try result.get() else { return nil }
        inbound.moveReaderIndex(forwardBy: decoded.byteCount)
        return decoded.packet
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
