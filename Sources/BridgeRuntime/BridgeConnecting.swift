import MQTTBridge
import MQTTModel
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
import TransportModel

/// How a bridge gets a connection: TCP or a Unix socket, TLS and WebSocket above it where the address says so.
struct BridgeConnecting {
    let address: ListenAddress
    let options: BridgeOptions
    /// nil without TLS.
    let context: NIOSSLContext?

    /// The server does not speak MQTT over WebSocket under that path.
    struct UpgradeRefused: Error, CustomStringConvertible {
        let path: String

        var description: String { "no WebSocket with MQTT at \(path)" }
    }

    /// - Parameter handler: added once the connection can carry MQTT.
    func connect(
        on eventLoop: any EventLoop, adding handler: @escaping @Sendable () -> BridgeChannelHandler
    ) -> EventLoopFuture<any Channel> {
        let ready = eventLoop.makePromise(of: (any Channel).self)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context {
                        try pipeline.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: address.isName ? address.host : nil))
                    }
                    guard address.transport.isWebSocket else { return try pipeline.addHandler(handler()) }
                    try upgrade(channel, adding: handler).cascade(to: ready)
                }
            }
        let connected: EventLoopFuture<any Channel>
        switch address.endpoint {
        case .network(let host, let port):
            connected = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: host, port: port)
        case .unix(let path): connected = bootstrap.connect(unixDomainSocketPath: path)
        }
        connected.whenComplete { result in
            switch result {
            case .failure(let error): ready.fail(error)
            case .success(let channel):
                guard address.transport.isWebSocket else { return ready.succeed(channel) }
                // A server that never answers does not keep the connection.
                let cut = channel.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
                ready.futureResult.whenComplete { result in
                    cut.cancel()
                    if case .failure = result { channel.close(promise: nil) }
                }
            }
        }
        return ready.futureResult
    }

    private var timeout: TimeAmount { .nanoseconds(Int64(clamping: options.connectTimeout.wholeNanoseconds)) }

    /// Room in a frame for more packets than the largest: brokers send several in one.
    private static let frameRoom = 1 << 20

    /// Asks for WebSocket (RFC 6455, 4.1), with the subprotocol of MQTT [MQTT-6.0.0-3].
    private func upgrade(
        _ channel: any Channel, adding handler: @escaping @Sendable () -> BridgeChannelHandler
    ) throws -> EventLoopFuture<any Channel> {
        let upgrader = NIOTypedWebSocketClientUpgrader<any Channel>(
            maxFrameSize: Int(options.maximumPacketSize) + Self.frameRoom, enableAutomaticErrorHandling: false
        ) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandlers([BridgeWebSocketHandler(), handler()])
                return channel
            }
        }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: options.webSocketPath)
        head.headers.add(name: "Host", value: address.authority)
        head.headers.add(name: "Content-Length", value: "0")
        head.headers.add(name: "Sec-WebSocket-Protocol", value: "mqtt")
        let path = options.webSocketPath
        let upgrade = NIOTypedHTTPClientUpgradeConfiguration<any Channel>(
            upgradeRequestHead: head, upgraders: [upgrader]
        ) { channel in
            channel.eventLoop.makeFailedFuture(UpgradeRefused(path: path))
        }
        return try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
            configuration: NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: upgrade))
    }
}

/// MQTT in WebSocket's binary frames, as a client sends and takes them (RFC 6455, 5).
final class BridgeWebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketFrame

    private var hasSentClose = false

    /// What the server must not send.
    struct Violation: Error, CustomStringConvertible {
        let description: String
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        // The borders of frames mean nothing to MQTT [MQTT-6.0.0-2].
        case .binary, .continuation: context.fireChannelRead(wrapInboundOut(frame.unmaskedData))
        case .ping: send(.pong, frame.unmaskedData, context: context)
        case .pong: break
        case .connectionClose: context.close(promise: nil)
        default: context.fireErrorCaught(Violation(description: "[MQTT-6.0.0-1] a WebSocket frame of another kind"))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let frame = WebSocketFrame(fin: true, opcode: .binary, maskKey: .random(), data: unwrapOutboundIn(data))
        context.write(wrapOutboundOut(frame), promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .input, !hasSentClose {
            hasSentClose = true
            var status = context.channel.allocator.buffer(capacity: 2)
            status.writeInteger(WebSocketStatus.normal.code)
            send(.connectionClose, status, context: context)
        }
        context.close(mode: mode, promise: promise)
    }

    private func send(_ opcode: WebSocketOpcode, _ data: ByteBuffer, context: ChannelHandlerContext) {
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
    }
}

extension ListenAddress {
    /// Whether the host is a name, which TLS can be told, and not a number.
    fileprivate var isName: Bool {
        guard case .network(let host, _) = endpoint else { return false }
        return IPAddress(parsing: host) == nil
    }

    /// The address without its transport, as an HTTP request names its host.
    fileprivate var authority: String {
        var plain = self
        plain.transport = .tcp
        return plain.description
    }
}
