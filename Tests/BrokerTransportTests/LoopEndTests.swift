import BrokerCore
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import BrokerRuntime

/// The loops of a broker end one after another: a shard whose loop has not ended yet wakes up none whose loop has.
@Suite struct LoopEndTests {
    @Test func nothingIsPostedBetweenLoopsThatEnd() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let shards = Shard.makeAll(
            loops: Array(group.makeIterator()), options: BrokerOptions(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        shards[0].post([.room(inShard: 1)], from: 1)
        try await Shard.endMail(between: shards)
        try await group.shutdownGracefully()
        for shard in shards {
            #expect(!shard.post([.room(inShard: 0)], from: 0))
            #expect(!shard.mailbox.hasMail)
        }
    }
}
