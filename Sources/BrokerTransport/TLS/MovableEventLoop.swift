import Dispatch
import NIOCore

/// The event loop of a `SocketlessChannel`: another loop under a name that stays when the channel moves.
///
/// It is always "in" the loop: the channel is only ever touched from its connection's loop, which asserts that.
final class MovableEventLoop: EventLoop, @unchecked Sendable {
    /// Set on the way from one loop to another, when neither uses the channel.
    var current: any EventLoop

    init(_ loop: any EventLoop) { current = loop }

    var inEventLoop: Bool { true }

    var now: NIODeadline { current.now }

    func execute(_ task: @escaping @Sendable () -> Void) { current.execute(task) }

    @discardableResult
    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        current.scheduleTask(deadline: deadline, task)
    }

    @discardableResult
    func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        current.scheduleTask(in: delay, task)
    }

    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        queue.async { callback(ChannelError.operationUnsupported) }
    }
}
