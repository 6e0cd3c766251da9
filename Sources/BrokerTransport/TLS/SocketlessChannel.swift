import NIOCore

/// A channel without a socket: what its pipeline writes is gathered, what reaches the end of the pipeline as well. So a
/// channel handler becomes a function from bytes to bytes that can move between event loops with its connection, which
/// a channel of NIO's cannot.
///
/// Confined to the loop of its connection, which asserts that. A closed one has to be told `removeHandlers`.
final class SocketlessChannel: Channel, ChannelCore, @unchecked Sendable {
    let allocator = ByteBufferAllocator()
    /// Fulfilled with `removeHandlers`.
    let closeFuture: EventLoopFuture<Void>
    private(set) lazy var pipeline = ChannelPipeline(channel: self)
    /// What was written and not taken.
    private var outbound: ByteBuffer?
    /// What was read and not taken.
    private var inbound: ByteBuffer?
    /// The first error that no handler took.
    private(set) var error: (any Error)?
    private(set) var isActive = true

    private let movableLoop: MovableEventLoop
    private let closePromise: EventLoopPromise<Void>
    private var hasHandlers = true

    init(on loop: any EventLoop) {
        movableLoop = MovableEventLoop(loop)
        closePromise = movableLoop.makePromise()
        closeFuture = closePromise.futureResult
    }

    var eventLoop: any EventLoop { movableLoop }
    var localAddress: SocketAddress? { nil }
    var remoteAddress: SocketAddress? { nil }
    var parent: (any Channel)? { nil }
    var isWritable: Bool { true }
    var _channelCore: any ChannelCore { self }

    /// The loop that things are scheduled on from now on.
    func move(to loop: any EventLoop) { movableLoop.current = loop }

    func takeOutbound() -> ByteBuffer? { outbound.take() }
    func takeInbound() -> ByteBuffer? { inbound.take() }

    /// Frees the handlers, whose references and this channel's go round in a circle. Not from inside one of them.
    func removeHandlers() {
        guard hasHandlers else { return }
        hasHandlers = false
        close0(error: ChannelError.alreadyClosed, mode: .all, promise: nil)
        removeHandlers(pipeline: pipeline)
        closePromise.succeed()
    }

    // MARK: ChannelCore

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        Self.append(unwrapData(data, as: ByteBuffer.self), to: &outbound)
        promise?.succeed()
    }

    func channelRead0(_ data: NIOAny) { Self.append(unwrapData(data, as: ByteBuffer.self), to: &inbound) }

    func errorCaught0(error: any Error) { if self.error == nil { self.error = error } }

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        promise?.succeed()
        guard mode == .all, isActive else { return }
        isActive = false
        pipeline.syncOperations.fireChannelInactive()
        pipeline.syncOperations.fireChannelUnregistered()
    }

    func flush0() {}
    func read0() {}
    func register0(promise: EventLoopPromise<Void>?) { promise?.succeed() }
    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) { promise?.succeed() }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func localAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func remoteAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }

    // MARK: Options, of which it has none

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    private static func append(_ bytes: ByteBuffer, to buffer: inout ByteBuffer?) {
        guard bytes.readableBytes > 0 else { return }
        if buffer == nil {
            buffer = bytes
        } else {
            buffer?.writeImmutableBuffer(bytes)
        }
    }
}
