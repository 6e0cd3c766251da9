import BrokerRuntime
import Logging
import NIOCore

/// Stops accepting for a while when the system has no descriptor or memory for a connection: the listener would be
/// ready again at once, and the loop would spin. Counts it, and says so once a minute at most.
///
/// Not NIO's `AcceptBackoffHandler`: measured, that one keeps the listener registered, and the loop spins.
final class AcceptFailureHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    static let pause = TimeAmount.milliseconds(500)
    private static let reportInterval = TimeAmount.seconds(60)

    private let shard: Shard
    private var lastReport: NIODeadline?

    init(_ shard: Shard) { self.shard = shard }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        shard.countAcceptFailure()
        let channel = context.channel
        try? channel.syncOptions?.setOption(.autoRead, value: false)
        // Fails when the listener was closed meanwhile.
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
            try? channel.syncOptions?.setOption(.autoRead, value: true)
        }
        report(error)
    }

    private func report(_ error: any Error) {
        let now = NIODeadline.now()
        guard lastReport.map({ now - $0 >= Self.reportInterval }) ?? true else { return }
        lastReport = now
        shard.logger.warning("connections cannot be accepted", metadata: ["error": "\(error)"])
    }
}
