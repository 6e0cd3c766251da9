import BrokerCore
import BrokerRuntime
import Logging
import NIOCore
import NIOPosix
import TransportModel

/// What the transports keep for each shard, and where its connections come from. Confined to the shard's loop.
final class TransportShard: @unchecked Sendable {
    let shard: Shard
    let receiveBuffer = LentReceiveBuffer()
    /// Where bytes are put between two layers of a connection.
    private var scratch: ByteBuffer?
    private static let maximumScratchSize = 1 << 20

    /// Those of all shards, by the shard's index. Set once, before the first connection.
    private(set) var all: [TransportShard] = []

    private init(_ shard: Shard) { self.shard = shard }

    static func makeAll(for shards: [Shard]) -> [TransportShard] {
        let all = shards.map { TransportShard($0) }
        for one in all { one.all = all }
        return all
    }

    /// When the loops have ended: the shards hold each other.
    func forgetOthers() { all = [] }

    /// An empty buffer for the length of a call.
    func takeScratch() -> ByteBuffer {
        guard var buffer = scratch.take() else { return ByteBufferAllocator().buffer(capacity: 1 << 16) }
        buffer.clear()
        return buffer
    }

    func giveBackScratch(_ buffer: inout ByteBuffer) {
        if buffer.capacity <= Self.maximumScratchSize { scratch = buffer }
        buffer = ByteBuffer()
    }

    /// Listens on `address`; the connections start on this shard and move to the shard that their client belongs to.
    ///
    /// - Parameter group: the loops of all shards.
    func listen(on address: SocketAddress, as serving: ServingListener, _ group: any EventLoopGroup) async throws
        -> any Channel
    {
        let shard = shard
        // What comes before MQTT may cost much (TLS): all loops share it.
        let children = serving.listener.hasPreamble ? group : shard.loop
        return try await ServerBootstrap(group: shard.loop, childGroup: children)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.maxMessagesPerRead, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptFailureHandler(shard))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.at(channel.eventLoop).accept(channel, for: serving) }
            }
            .bind(to: address)
            .get()
    }

    private func at(_ loop: any EventLoop) -> TransportShard { all.first { $0.shard.loop === loop } ?? self }

    /// Makes a connection of a channel that was accepted.
    ///
    /// - Throws: `AdmissionGate.Refusal`; the channel is closed then.
    private func accept(_ channel: any Channel, for serving: ServingListener) throws {
        let gate = serving.gate
        let hasPreamble = serving.listener.hasPreamble
        guard hasPreamble || gate.isCounting else {
            return try StreamConnection(owner: self, admission: nil).add(to: channel)
        }
        let admission = try gate.admit(isHandshaking: hasPreamble)
        // The address of a proxy is not the client's.
        if serving.options.proxies.isEmpty { try admission.enter(from: IPAddress(channel.remoteAddress)) }
        let connection =
            hasPreamble
            ? LayeredConnection(owner: self, serving: serving, admission: admission)
            : StreamConnection(owner: self, admission: admission)
        try connection.add(to: channel)
    }

    /// Carries on a network connection that another shard accepted.
    func adopt(_ descriptor: NIOBSDSocket.Handle, _ arrival: Arrival) {
        shard.loop.assertInEventLoop()
        _ = ClientBootstrap(group: shard.loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try arrival.connection.add(to: channel) }
            }
            .withConnectedSocket(descriptor)
    }
}
