import NIOCore
import NIOPosix

/// A server that answers every read with the same bytes, or never; for what a real broker does not do.
final class ScriptedServer: Sendable {
    private let channel: any Channel
    let port: Int

    init(answering bytes: [UInt8]) async throws {
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture {
                    try child.pipeline.syncOperations.addHandler(Answer(bytes: bytes))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    func stop() async { try? await channel.close() }

    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let bytes: [UInt8]

        init(bytes: [UInt8]) { self.bytes = bytes }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !bytes.isEmpty else { return }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        }
    }
}

/// Passes bytes between clients and a broker, until it is told to cut the connections.
final class CuttingProxy: Sendable {
    private let channel: any Channel
    private let connections: Connections
    let port: Int

    init(to targetPort: Int) async throws {
        let connections = Connections()
        self.connections = connections
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { child in
                ClientBootstrap(group: child.eventLoop).channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: targetPort)
                    .flatMapThrowing { target in
                        try child.pipeline.syncOperations.addHandler(Relay(to: target))
                        try target.pipeline.syncOperations.addHandler(Relay(to: child))
                        connections.add(child)
                        child.setOption(.autoRead, value: true).whenComplete { _ in }
                        target.setOption(.autoRead, value: true).whenComplete { _ in }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    /// Ends all connections without a word; new ones are taken.
    func cut() { connections.closeAll() }

    func stop() async {
        try? await channel.close()
        cut()
    }

    private actor Connections {
        private var all: [any Channel] = []

        nonisolated func add(_ channel: any Channel) { Task { await append(channel) } }
        private func append(_ channel: any Channel) { all.append(channel) }

        nonisolated func closeAll() { Task { await close() } }

        private func close() {
            for channel in all { channel.close(promise: nil) }
            all = []
        }
    }

    private final class Relay: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let target: any Channel

        init(to target: any Channel) { self.target = target }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            target.writeAndFlush(unwrapInboundIn(data), promise: nil)
            // No faster than the other side takes it.
            if !target.isWritable {
                context.channel.setOption(.autoRead, value: false).whenComplete { _ in }
                resumeWhenWritable(context.channel)
            }
        }

        private func resumeWhenWritable(_ channel: any Channel) {
            let target = target
            _ = channel.eventLoop.scheduleTask(in: .milliseconds(1)) {
                if target.isWritable || !target.isActive {
                    channel.setOption(.autoRead, value: true).whenComplete { _ in }
                } else {
                    Relay(to: target).resumeWhenWritable(channel)
                }
            }
        }

        func channelInactive(context: ChannelHandlerContext) { target.close(promise: nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
