import BrokerCore
import BrokerRuntime
import Logging
import NIOCore
import NIOPosix

/// What the TCP transport keeps for each shard, and where its connections come from. Confined to the shard's loop.
final class TCPShard: @unchecked Sendable {
    let shard: Shard
    let receiveBuffer = LentReceiveBuffer()
    /// Those of all shards, by the shard's index. Set once, before the first connection.
    private(set) var all: [TCPShard] = []

    private init(_ shard: Shard) { self.shard = shard }

    static func makeAll(for shards: [Shard]) -> [TCPShard] {
        let all = shards.map { TCPShard($0) }
        for one in all { one.all = all }
        return all
    }

    /// Listens on `address`; the connections start on this shard and move to the shard that their client belongs to.
    func listen(on address: SocketAddress) async throws -> any Channel {
        try await ServerBootstrap(group: shard.loop, childGroup: shard.loop)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.maxMessagesPerRead, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptFailureHandler(self.shard))
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try TCPConnection.add(to: channel, of: self) }
            }
            .bind(to: address)
            .get()
    }

    /// Carries on a network connection that another shard accepted.
    func adopt(_ descriptor: NIOBSDSocket.Handle, _ handover: Handover) {
        shard.loop.assertInEventLoop()
        _ = ClientBootstrap(group: shard.loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try TCPConnection.add(to: channel, of: self, handover: handover)
                }
            }
            .withConnectedSocket(descriptor)
    }
}
