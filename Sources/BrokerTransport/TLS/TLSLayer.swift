import NIOCore
import NIOSSL
import NIOTLS

/// TLS of one connection, server's side, as a function: bytes from the network in, bytes of MQTT out, and the reverse.
/// NIOSSL's handler does the work, in a channel without a socket.
///
/// Confined to the connection's loop. `end` frees it.
final class TLSLayer {
    /// Bytes of MQTT that are encrypted at a time. What NIOSSL keeps between two writes is not much more.
    static let maximumWriteSize = 1 << 15

    private let channel: SocketlessChannel
    private let handler: NIOSSLServerHandler
    private let watch = HandshakeWatch()

    /// - Throws: when the library has no memory for it.
    init(_ context: NIOSSLContext, on loop: any EventLoop) throws {
        channel = SocketlessChannel(on: loop)
        var configuration = NIOSSLServerHandler.Configuration()
        configuration.maximumPreservedOutboundBufferCapacity = 2 * Self.maximumWriteSize
        handler = NIOSSLServerHandler(context: context, configuration: configuration)
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.pipeline.syncOperations.addHandler(watch)
    }

    deinit { channel.removeHandlers() }

    /// Whether MQTT can be sent and received.
    var isEstablished: Bool { watch.isComplete }
    /// The protocol that both sides chose by ALPN.
    var negotiatedProtocol: String? { watch.negotiatedProtocol }
    /// Why it ended, unless it was ended by the peer in good order.
    var failure: (any Error)? { channel.error }
    /// Whether nothing can be sent or received any more.
    var isEnded: Bool { !channel.isActive }
    /// What the client has shown and the context has found good.
    var peerCertificate: NIOSSLCertificate? { handler.peerCertificate }

    /// Starts the handshake, with the client's first message.
    func begin() { channel.pipeline.syncOperations.fireChannelActive() }

    /// Takes what came from the network; what is to be answered is in `takeOutbound` then, what was said in
    /// `takeInbound`.
    func receive(_ bytes: ByteBuffer) {
        channel.pipeline.syncOperations.fireChannelRead(NIOAny(bytes))
        channel.pipeline.syncOperations.fireChannelReadComplete()
        // An error that NIOSSL does not end the connection for, as one in a message behind the handshake.
        if channel.error != nil, channel.isActive { channel.close0(error: ChannelError.eof, mode: .all, promise: nil) }
    }

    func takeInbound() -> ByteBuffer? { channel.takeInbound() }
    func takeOutbound() -> ByteBuffer? { channel.takeOutbound() }

    /// What goes over the network for `bytes`.
    func encrypt(_ bytes: ByteBuffer) -> ByteBuffer? {
        channel.pipeline.syncOperations.writeAndFlush(NIOAny(bytes), promise: nil)
        return channel.takeOutbound()
    }

    /// Says that nothing more will be sent.
    func closeOutput() -> ByteBuffer? {
        if channel.isActive { channel.pipeline.syncOperations.close(mode: .output, promise: nil) }
        return channel.takeOutbound()
    }

    /// Goes with its connection to another loop.
    func move(to loop: any EventLoop) { channel.move(to: loop) }
}

/// Sees the end of the handshake.
private final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var isComplete = false
    private(set) var negotiatedProtocol: String?

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted(let negotiated) = event {
            isComplete = true
            negotiatedProtocol = negotiated
        }
    }
}
