import NIOCore
import NIOPosix
import TransportModel

/// A client over a real socket that sends and receives bytes.
final class ByteClient: Sendable {
    private let channel: any Channel
    private let inbox: Inbox

    static func open(_ address: Listener) async throws -> ByteClient {
        let inbox = Inbox()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(inbox) }
            }
            .connect(host: address.host, port: address.port).get()
        return ByteClient(channel: channel, inbox: inbox)
    }

    private init(channel: any Channel, inbox: Inbox) {
        self.channel = channel
        self.inbox = inbox
    }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    /// So many bytes; an error when the connection ends before.
    func bytes(_ count: Int) async throws -> [UInt8] { try await wait { $0.count >= count ? count : nil } }

    /// Everything up to and with these bytes.
    func bytes(through end: String) async throws -> [UInt8] {
        let end = Array(end.utf8)
        return try await wait { all in
            guard all.count >= end.count else { return nil }
            return (end.count...all.count).first { all[($0 - end.count)..<$0].elementsEqual(end) }
        }
    }

    /// Everything up to the end of the connection.
    func bytesToEnd() async throws -> [UInt8] { try await wait(toEnd: true) { _ in nil } }

    func close() async throws { try await channel.close() }

    private func wait(
        toEnd: Bool = false, _ isEnough: @escaping @Sendable ([UInt8]) -> Int?
    ) async throws -> [UInt8] {
        let promise = channel.eventLoop.makePromise(of: [UInt8].self)
        let inbox = inbox
        channel.eventLoop.execute { inbox.wait(promise, toEnd: toEnd, isEnough) }
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(20)) {
            promise.fail(TestClient.Failure(description: "nothing came"))
        }
        defer { timeout.cancel() }
        return try await promise.futureResult.get()
    }
}

/// Confined to the channel's loop.
private final class Inbox: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private struct Wait {
        let promise: EventLoopPromise<[UInt8]>
        let toEnd: Bool
        let isEnough: ([UInt8]) -> Int?
    }

    private var bytes: [UInt8] = []
    private var waiting: [Wait] = []
    private var isEnded = false

    func wait(_ promise: EventLoopPromise<[UInt8]>, toEnd: Bool, _ isEnough: @escaping ([UInt8]) -> Int?) {
        waiting.append(Wait(promise: promise, toEnd: toEnd, isEnough: isEnough))
        answer()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes += Self.unwrapInboundIn(data).readableBytesView
        answer()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        isEnded = true
        answer()
    }

    private func answer() {
        while let first = waiting.first {
            if let count = first.isEnough(bytes) {
                first.promise.succeed(Array(bytes[..<count]))
                bytes.removeFirst(count)
            } else if isEnded, first.toEnd {
                first.promise.succeed(bytes)
            } else if isEnded {
                first.promise.fail(TestClient.Failure(description: "the connection has ended after \(bytes)"))
            } else {
                return
            }
            waiting.removeFirst()
        }
    }
}
