import BrokerCore
import BrokerRuntime
import Glibc
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import BrokerTransport

@Suite struct AcceptFailureTests {
    @Test func aFailedAcceptIsCountedAndStopsAcceptingForAWhile() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let shard = Shard.makeAll(
            loops: [group.next()], options: BrokerOptions(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })[0]
        let server = try await ServerBootstrap(group: group)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptFailureHandler(shard))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let isReading = try await server.eventLoop.submit {
            server.pipeline.fireErrorCaught(IOError(errnoCode: EMFILE, reason: "accept"))
            return try server.syncOptions?.getOption(.autoRead)
        }.get()
        #expect(isReading == false)
        #expect(try await server.eventLoop.submit { shard.metrics.runtime.acceptFailures }.get() == 1)
        // It accepts again: a client gets through.
        let client = try await ClientBootstrap(group: group).connect(to: #require(server.localAddress)).get()
        try await server.eventLoop.scheduleTask(in: AcceptFailureHandler.pause) {}.futureResult.get()
        #expect(try await server.getOption(.autoRead).get())
        try await client.close()
        try await server.close()
        try await group.shutdownGracefully()
    }
}
