import NIOCore
import NIOPosix
import Testing

@testable import BrokerTransport

/// What `LentReceiveBuffer` expects of NIO.
@Suite struct LentReceiveBufferTests {
    @Test func allChannelsOfALoopReceiveIntoOneBufferAfterTheirFirstRead() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let lender = try await loop.submit { NIOLoopBound(LentReceiveBuffer(), eventLoop: loop) }.get()
        let log = ReadLog()
        let server = try await ServerBootstrap(group: loop)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
                    try channel.syncOptions?.setOption(.recvAllocator, value: LendingAllocator(lender.value))
                    try channel.pipeline.syncOperations.addHandler(Recorder(lender.value, log))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(server.localAddress)
        var clients: [any Channel] = []
        for _ in 0..<3 { clients.append(try await ClientBootstrap(group: loop).connect(to: address).get()) }
        for _ in 0..<3 {
            for client in clients {
                let read = log.nextRead(on: loop)
                try await client.writeAndFlush(ByteBuffer(repeating: 1, count: 10))
                try await read.get()
            }
        }
        let reads = try await loop.submit { log.reads }.get()
        #expect(reads.count == 9)
        // Each channel keeps its first buffer, which is a tiny one.
        #expect(reads[..<3].allSatisfy { $0.capacity <= 128 })
        #expect(Set(reads[3...].map(\.address)).count == 1)
        #expect(reads[3...].allSatisfy { $0.capacity >= LentReceiveBuffer.capacity })
        for client in clients { try await client.close() }
        try await server.close()
        try await group.shutdownGracefully()
    }
}

/// Confined to the loop.
private final class ReadLog: @unchecked Sendable {
    var reads: [(address: UInt, capacity: Int)] = []
    var waiting: EventLoopPromise<Void>?

    func nextRead(on loop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        loop.execute { self.waiting = promise }
        return promise.futureResult
    }
}

private final class Recorder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    let lender: LentReceiveBuffer
    let log: ReadLog

    init(_ lender: LentReceiveBuffer, _ log: ReadLog) {
        self.lender = lender
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        let address = bytes.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        log.reads.append((address, bytes.capacity))
        lender.takeBack(bytes)
        log.waiting?.succeed()
        log.waiting = nil
    }
}
