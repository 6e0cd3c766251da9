import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket

/// Listens for plain TCP and passes every connection on over TLS, WebSocket or both, so that the same clients with their
/// blocking sockets reach a broker over every transport. The other side's TLS and WebSocket are NIO's own.
struct TransportRelay {
    let port: Int
    private let channel: any Channel

    init(to port: Int, isEncrypted: Bool, isWebSocket: Bool) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let context = isEncrypted ? try NIOSSLContext(configuration: configuration) : nil
        channel = try await ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { client in
                Self.connect(client, to: port, context, isWebSocket: isWebSocket)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.port = channel.localAddress?.port ?? 0
    }

    func close() async throws { try await channel.close() }

    private static func connect(
        _ client: any Channel, to port: Int, _ context: NIOSSLContext?, isWebSocket: Bool
    ) -> EventLoopFuture<Void> {
        let ready = client.eventLoop.makePromise(of: Void.self)
        let connected = ClientBootstrap(group: client.eventLoop)
            .channelInitializer { broker in
                broker.eventLoop.makeCompletedFuture {
                    let pipeline = broker.pipeline.syncOperations
                    if let context {
                        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                    }
                    if isWebSocket {
                        try addUpgrade(to: pipeline, client, ready)
                    } else {
                        try glue(client, pipeline)
                        ready.succeed()
                    }
                }
            }
            .connect(host: "127.0.0.1", port: port)
        connected.whenFailure { ready.fail($0) }
        // The broker may end it before it is ready.
        connected.whenSuccess { broker in broker.closeFuture.whenComplete { _ in client.close(promise: nil) } }
        return connected.flatMap { _ in ready.futureResult }.flatMap { client.setOption(.autoRead, value: true) }
    }

    private static func glue(_ client: any Channel, _ broker: ChannelPipeline.SynchronousOperations) throws {
        let (left, right) = Glue.pair()
        try client.pipeline.syncOperations.addHandler(left)
        try broker.addHandler(right)
    }

    private static func addUpgrade(
        to pipeline: ChannelPipeline.SynchronousOperations, _ client: any Channel, _ ready: EventLoopPromise<Void>
    ) throws {
        let client = NIOLoopBound(client, eventLoop: client.eventLoop)
        let upgrader = NIOWebSocketClientUpgrader { broker, _ in
            broker.eventLoop.makeCompletedFuture {
                try broker.pipeline.syncOperations.addHandler(FrameHandler())
                try glue(client.value, broker.pipeline.syncOperations)
                ready.succeed()
            }
        }
        try pipeline.addHTTPClientHandlers(
            withClientUpgrade: (upgraders: [upgrader], completionHandler: { _ in }))
        try pipeline.addHandler(UpgradeRequestHandler())
    }
}

/// Asks for WebSocket with the subprotocol mqtt.
private final class UpgradeRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    func channelActive(context: ChannelHandlerContext) {
        let headers: HTTPHeaders = ["Host": "localhost", "Sec-WebSocket-Protocol": "mqtt"]
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/mqtt", headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// Bytes into masked binary frames and back.
private final class FrameHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketFrame

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = Self.unwrapInboundIn(data)
        if frame.opcode == .binary { context.fireChannelRead(Self.wrapInboundOut(frame.unmaskedData)) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = WebSocketFrame(
            fin: true, opcode: .binary, maskKey: .random(), data: Self.unwrapOutboundIn(data))
        context.write(Self.wrapOutboundOut(frame), promise: promise)
    }
}

/// Writes to the other channel what this one reads, and ends it when this one ends. Both are on one loop.
private final class Glue: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var partner: Glue?
    private var context: ChannelHandlerContext?

    static func pair() -> (Glue, Glue) {
        let (left, right) = (Glue(), Glue())
        (left.partner, right.partner) = (right, left)
        return (left, right)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        partner = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        partner?.context?.writeAndFlush(data, promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { partner?.context?.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { partner?.context?.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
