import NATSProtocol
import NIOCore
import NIOSSL
import NIOTLS

/// One network connection and its bytes. Confined to the event loop.
final class NetworkLink {
    let channel: any Channel
    /// Tells the links apart: what is reported of an earlier one is ignored.
    let number: UInt64
    let server: ServerAddress
    var parser: CommandParser
    /// Received and not parsed yet.
    var inbound = ByteBuffer()
    /// Handed to the channel and not taken by the system yet.
    private(set) var unwrittenBytes = 0
    /// The last thing that went wrong, told when the channel closes.
    var failure: DisconnectReason?

    init(channel: any Channel, number: UInt64, server: ServerAddress, limits: CommandParser.Limits) {
        self.channel = channel
        self.number = number
        self.server = server
        parser = CommandParser(limits: limits)
    }

    /// Calls `completion` when the system has the bytes.
    func write(_ bytes: ByteBuffer, _ completion: @escaping () -> Void) {
        unwrittenBytes += bytes.readableBytes
        let promise = channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess {
            self.unwrittenBytes -= bytes.readableBytes
            completion()
        }
        channel.writeAndFlush(bytes, promise: promise)
    }

    func receive(_ bytes: ByteBuffer) {
        guard inbound.readableBytes > 0 else {
            inbound = bytes
            return
        }
        inbound.discardReadBytes()
        inbound.writeImmutableBuffer(bytes)
    }

    /// Puts TLS between the socket and the client.
    func secure(_ configuration: TLSConfiguration, serverName: String) throws {
        let context = try NIOSSLContext(configuration: configuration)
        // An address is no name that a certificate could be asked for by.
        let isAddress = (try? SocketAddress(ipAddress: serverName, port: 0)) != nil
        let handler = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : serverName)
        try channel.pipeline.syncOperations.addHandler(handler, position: .first)
    }
}

/// Hands what happens on a channel to the connection, which lives on the same event loop.
final class NetworkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: NATSConnection
    private let number: UInt64

    init(connection: NATSConnection, number: UInt64) {
        self.connection = connection
        self.number = number
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.received(unwrapInboundIn(data), on: number)
    }

    func channelInactive(context: ChannelHandlerContext) { connection.linkClosed(number) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event { connection.linkSecured(number) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connection.linkFailed(number, error)
        context.close(promise: nil)
    }
}
