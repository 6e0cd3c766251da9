import MQTTBridge
import MQTTCodec
import MQTTModel
import NIOCore

/// One network connection of a bridge, and the bytes on their way. Confined to the driver.
final class BridgeLink {
    let channel: any Channel
    /// Tells the connections apart: what is reported of an earlier one is ignored.
    let number: UInt64
    let version: ProtocolVersion
    /// What went wrong below MQTT, if anything has: a TLS handshake, for example.
    var fault: String?
    var isReading = true
    var inbound: PacketStream
    private var outbound: ByteBuffer

    init(channel: any Channel, number: UInt64, version: ProtocolVersion, maximumPacketSize: UInt32) {
        self.channel = channel
        self.number = number
        self.version = version
        inbound = PacketStream(role: .client, version: version, maximumPacketSize: maximumPacketSize)
        outbound = channel.allocator.buffer(capacity: 0)
    }

    /// Outbound bytes from which nothing more is taken from the other side until they have left.
    private static let highWatermark = 1 << 17

    var isWritable: Bool { channel.isWritable && outbound.readableBytes < Self.highWatermark }

    func append(_ packet: Packet) { PacketEncoder.append(packet, version: version, to: &outbound) }

    /// CONNECT with the top bit of the protocol level, which is behind the fixed header and the protocol name.
    func appendWithBridgeBit(_ packet: Connect) {
        append(.connect(packet))
        let lengthBytes = outbound.readableBytesView.dropFirst().prefix { $0 & 0x80 != 0 }.count + 1
        let index = outbound.readerIndex + 1 + lengthBytes + 2 + version.protocolName.utf8.count
        outbound.setInteger(version.rawValue | 0x80, at: index)
    }

    /// Hands what was appended to the channel.
    func flush() {
        guard outbound.readableBytes > 0 else { return }
        let bytes = outbound
        outbound = channel.allocator.buffer(capacity: 0)
        channel.writeAndFlush(bytes, promise: nil)
    }

    /// Time for the last bytes to leave and for the broker to close, before the connection is cut.
    private static let closeTimeout = TimeAmount.seconds(1)

    /// Sends what was appended and closes: this side first, so that the broker reads the DISCONNECT.
    func close() {
        flush()
        let channel = channel
        channel.setOption(.autoRead, value: true).whenComplete { _ in }
        let timeout = channel.eventLoop.scheduleTask(in: Self.closeTimeout) { channel.close(promise: nil) }
        channel.close(mode: .output).whenFailure { _ in channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in timeout.cancel() }
    }
}

/// Hands what happens on a channel to the driver, which runs on the same event loop.
final class BridgeChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let driver: BridgeDriver
    private let side: BridgeSide
    private let number: UInt64

    init(driver: BridgeDriver, side: BridgeSide, number: UInt64) {
        self.driver = driver
        self.side = side
        self.number = number
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        driver.assumeIsolated { [side, number] in $0.received(bytes, side, number) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        driver.assumeIsolated { [side, number] in $0.writabilityChanged(side, number) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        driver.assumeIsolated { [side, number] in $0.closed(side, number) }
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The broker has ended its side: nothing more comes.
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let text = "\(error)"
        driver.assumeIsolated { [side, number] in $0.faulted(text, side, number) }
        context.close(promise: nil)
    }
}
