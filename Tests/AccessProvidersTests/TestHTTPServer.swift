import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A real HTTP server on the loopback address, answering as a test says.
final class TestHTTPServer: Sendable {
    struct Answer: Sendable {
        var status: HTTPResponseStatus = .ok
        var body = ""
        /// Nothing is answered, the connection stays.
        var isSilent = false
    }

    private let channel: any Channel

    /// - Parameter answer: of a request's path and body.
    static func start(_ answer: @escaping @Sendable (String, String) -> Answer) async throws -> TestHTTPServer {
        let box = Box()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(answer: answer, box: box))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return TestHTTPServer(channel: channel, box: box)
    }

    private let box: Box

    private init(channel: any Channel, box: Box) {
        self.channel = channel
        self.box = box
    }

    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }
    /// The bodies of the requests so far.
    var bodies: [String] { box.bodies.withLock { $0 } }

    func stop() async { try? await channel.close() }

    final class Box: Sendable {
        let bodies = Mutex<[String]>([])
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: @Sendable (String, String) -> Answer
        private let box: Box
        private var path = ""
        private var body = ByteBuffer()

        init(answer: @escaping @Sendable (String, String) -> Answer, box: Box) {
            self.answer = answer
            self.box = box
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch Self.unwrapInboundIn(data) {
            case .head(let head):
                path = head.uri
                body.clear()
            case .body(var bytes): body.writeBuffer(&bytes)
            case .end:
                let text = String(buffer: body)
                box.bodies.withLock { $0.append(text) }
                let answer = answer(path, text)
                guard !answer.isSilent else { return }
                let bytes = ByteBuffer(string: answer.body)
                let headers: HTTPHeaders = ["Content-Length": "\(bytes.readableBytes)"]
                let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
                context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
                context.write(Self.wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
                context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
