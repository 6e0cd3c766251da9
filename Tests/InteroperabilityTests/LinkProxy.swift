import NIOCore
import NIOPosix
import Synchronization

/// A network between a bridge and its remote broker that a test can cut, and that leads to wherever the broker is now.
final class LinkProxy: Sendable {
    private struct State {
        var target: Int?
        var connections: [Int: any Channel] = [:]
        var lastNumber = 0
    }

    private let state = Mutex(State())
    private let group = MultiThreadedEventLoopGroup.singleton
    private let server: any Channel
    let port: Int

    /// - Parameter target: the port on this machine that it leads to; nil: it is cut.
    static func start(to target: Int?) async throws -> LinkProxy {
        let holder = Holder()
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in holder.proxy.withLock { $0 }?.accept(channel) ?? channel.close() }
            .bind(host: "127.0.0.1", port: 0).get()
        let proxy = LinkProxy(server: server)
        proxy.lead(to: target)
        holder.proxy.withLock { $0 = proxy }
        return proxy
    }

    private final class Holder: Sendable {
        let proxy = Mutex<LinkProxy?>(nil)
    }

    private init(server: any Channel) {
        self.server = server
        port = server.localAddress?.port ?? 0
    }

    /// Connections are closed, and new ones too until `lead`.
    func cut() {
        let connections = state.withLock { state in
            state.target = nil
            defer { state.connections = [:] }
            return state.connections
        }
        for channel in connections.values { channel.close(promise: nil) }
    }

    /// Connections to come go there.
    func lead(to target: Int?) { state.withLock { $0.target = target } }

    func stop() async {
        cut()
        try? await server.close()
    }

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard let target = state.withLock({ $0.target }) else { return channel.close() }
        return ClientBootstrap(group: channel.eventLoop)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: target)
            .flatMap { other in
                self.keep(channel)
                return channel.pipeline.addHandler(Glue(other)).and(other.pipeline.addHandler(Glue(channel)))
                    .map { _ in
                        channel.setOption(.autoRead, value: true).whenComplete { _ in }
                        other.setOption(.autoRead, value: true).whenComplete { _ in }
                    }
            }
            .flatMapError { _ in channel.close() }
    }

    private func keep(_ channel: any Channel) {
        let number = state.withLock { state in
            state.lastNumber += 1
            state.connections[state.lastNumber] = channel
            return state.lastNumber
        }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.connections[number] = nil } }
    }
}

/// Hands what one side says to the other.
private final class Glue: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let other: any Channel

    init(_ other: any Channel) { self.other = other }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        other.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
