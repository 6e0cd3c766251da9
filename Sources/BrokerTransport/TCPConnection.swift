import BrokerCore
import BrokerRuntime
import MQTTModel
import NIOCore
import NIOPosix
import Glibc

/// A connection over plain TCP: the only handler in its channel's pipeline, and itself the shard's `Connection`.
///
/// Output goes straight to the descriptor with `send`; only what the system does not take at once goes through NIO,
/// which then waits until the socket is writable.
final class TCPConnection: Connection, ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let owner: TCPShard
    private var context: ChannelHandlerContext?
    /// The channel's descriptor; -1 as soon as the channel is not active: the system may use the number for another.
    private var descriptor: CInt = -1
    private var isClosing = false
    /// Told to the shard with `adopted` instead of `opened`.
    private var handover: Handover?

    private init(owner: TCPShard, handover: Handover?) {
        self.owner = owner
        self.handover = handover
        super.init(shard: owner.shard)
    }

    /// Makes `channel` a connection of the shard. On the shard's loop, before the channel is active.
    static func add(to channel: any Channel, of owner: TCPShard, handover: Handover? = nil) throws {
        let options = channel.syncOptions
        try options?.setOption(.maxMessagesPerRead, value: 1)
        try options?.setOption(.recvAllocator, value: LendingAllocator(owner.receiveBuffer))
        try channel.pipeline.syncOperations.addHandler(TCPConnection(owner: owner, handover: handover))
    }

    // MARK: From the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        let transport = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
        descriptor = transport.flatMap { $0 } ?? -1
        if let handover = handover.take() {
            shard.adopted(self, handover)
        } else {
            shard.opened(self)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        descriptor = -1
        shard.closed(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        shard.received(self, bytes)
        owner.receiveBuffer.takeBack(bytes)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The channel closes itself after an error of the socket; the end is told by `channelInactive`.
        context.close(promise: nil)
    }

    // MARK: From the shard

    override func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard descriptor >= 0 else { return nil }
        while true {
            let count = send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN, ENOBUFS: return 0
            default:
                // Not from inside the shard's step.
                context?.eventLoop.assumeIsolated().execute { self.context?.close(promise: nil) }
                return nil
            }
        }
    }

    override func writeRest(_ bytes: ByteBuffer) {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { self.shard.written(self) }
        context.writeAndFlush(Self.wrapOutboundOut(bytes), promise: promise)
    }

    override func setReading(_ isReading: Bool) {
        // Fails only on a closed channel.
        try? context?.channel.syncOptions?.setOption(.autoRead, value: isReading)
    }

    override func close(after farewell: ByteBuffer?) {
        guard let context, descriptor >= 0 else { return }
        guard !isClosing, farewell != nil || hasUnwrittenBytes else { return context.close(promise: nil) }
        isClosing = true
        if let farewell { writeFarewell(farewell, context) }
        // Sends what is pending and then FIN; the peer's answers it, and the channel closes. Until then what the peer
        // still sends is read and thrown away.
        context.close(mode: .output, promise: nil)
        setReading(true)
        let timeout = TimeAmount.nanoseconds(Int64(clamping: shard.limits.closeTimeout.wholeNanoseconds))
        context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            self?.context?.close(promise: nil)
        }
    }

    private func writeFarewell(_ farewell: ByteBuffer, _ context: ChannelHandlerContext) {
        let count = hasUnwrittenBytes ? 0 : farewell.withUnsafeReadableBytes { write($0) ?? 0 }
        guard count < farewell.readableBytes else { return }
        var rest = farewell
        rest.moveReaderIndex(forwardBy: count)
        context.writeAndFlush(Self.wrapOutboundOut(rest), promise: nil)
    }

    override func move(_ handover: Handover) {
        // A second descriptor keeps the network connection open when the channel closes the first.
        let duplicate = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        context?.close(promise: nil)
        guard duplicate >= 0 else { return }
        let home = owner.all[Int(handover.home.index)]
        home.shard.loop.execute { home.adopt(duplicate, handover) }
    }
}
