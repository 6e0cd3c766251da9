import NIOCore

/// Hands what happens on a channel to the engine, which runs on the same event loop.
final class ClientChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let engine: ClientEngine
    private let number: UInt64

    init(engine: ClientEngine, number: UInt64) {
        self.engine = engine
        self.number = number
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        engine.assumeIsolated { [number] in $0.bytesReceived(bytes, on: number) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        engine.assumeIsolated { [number] in $0.writabilityChanged(on: number) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        engine.assumeIsolated { [number] in $0.connectionClosed(number) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Reset by the peer and the like: the close that follows tells the engine.
        context.close(promise: nil)
    }
}
