import AccessControl
import BrokerCore
import BrokerRuntime
import MQTTModel
import NIOCore
import NIOPosix
import TransportModel
import Glibc

/// A connection over a stream socket, TCP or Unix: the only handler in its channel's pipeline, and itself the shard's
/// `Connection`. As it is, MQTT is all that goes over it; `LayeredConnection` has something between.
///
/// Output goes straight to the descriptor with `send`; only what the system does not take at once goes through NIO,
/// which then waits until the socket is writable.
class StreamConnection: Connection, ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    final let owner: TransportShard
    final private(set) var context: ChannelHandlerContext?
    /// The channel's descriptor; -1 as soon as the channel is not active: the system may use the number for another.
    final private var descriptor: CInt = -1
    final private var isClosing = false
    /// Told to the shard with `adopted` instead of `opened`.
    final private var handover: Handover?
    /// Its place within the limits of a listener that has some.
    final private(set) var admission: Admission?

    init(owner: TransportShard, admission: Admission?, handover: Handover? = nil) {
        self.owner = owner
        self.admission = admission
        self.handover = handover
        super.init(shard: owner.shard)
    }

    /// Makes `channel` this connection's. On the shard's loop, before the channel is active.
    final func add(to channel: any Channel) throws {
        let options = channel.syncOptions
        try options?.setOption(.maxMessagesPerRead, value: 1)
        try options?.setOption(.recvAllocator, value: LendingAllocator(owner.receiveBuffer))
        try channel.pipeline.syncOperations.addHandler(self)
    }

    // MARK: From the channel

    final func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    final func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    final func channelActive(context: ChannelHandlerContext) {
        let transport = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
        descriptor = transport.flatMap { $0 } ?? -1
        begin()
    }

    /// The channel is there.
    func begin() {
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

    final func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The channel closes itself after an error of the socket; the end is told by `channelInactive`.
        context.close(promise: nil)
    }

    // MARK: From the shard

    override func write(_ bytes: UnsafeRawBufferPointer) -> Int? { sendNow(bytes) }

    /// Hands the system as many of the bytes as it takes; nil when the connection is broken.
    @inline(__always)
    final func sendNow(_ bytes: UnsafeRawBufferPointer) -> Int? {
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

    override var origin: ConnectionOrigin? {
        let address = context?.channel.remoteAddress
        return ConnectionOrigin(
            listener: nil, transport: TransportIdentity(address: IPAddress(address)?.description),
            port: address?.port ?? 0)
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
        let last = isClosing ? nil : lastBytes(after: farewell)
        guard !isClosing, last != nil || hasUnwrittenBytes else { return context.close(promise: nil) }
        isClosing = true
        if let last { writeFarewell(last, context) }
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
        let count = isBlocked ? 0 : farewell.withUnsafeReadableBytes { sendNow($0) ?? 0 }
        guard count < farewell.readableBytes else { return }
        var rest = farewell
        rest.moveReaderIndex(forwardBy: count)
        context.writeAndFlush(Self.wrapOutboundOut(rest), promise: nil)
    }

    // MARK: For subclasses

    /// Whether NIO holds something that has to go first.
    var isBlocked: Bool { hasUnwrittenBytes }

    /// The bytes to send before the end, when the shard says `farewell`; nil when there are none.
    func lastBytes(after farewell: ByteBuffer?) -> ByteBuffer? { farewell }

    override func move(_ handover: Handover) {
        // A second descriptor keeps the network connection open when the channel closes the first.
        let duplicate = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard duplicate >= 0 else {
            context?.close(promise: nil)
            return
        }
        let home = owner.all[Int(handover.home.index)]
        let arrival = Arrival(connection: successor(at: home, handover))
        // It takes over before this one ends.
        context?.close(promise: nil)
        home.shard.loop.execute { home.adopt(duplicate, arrival) }
    }

    /// What carries on at its home shard.
    func successor(at home: TransportShard, _ handover: Handover) -> StreamConnection {
        StreamConnection(owner: home, admission: admission, handover: handover)
    }
}

/// A connection on its way to the loop that it belongs to; only there it is used.
struct Arrival: @unchecked Sendable {
    let connection: StreamConnection
}
