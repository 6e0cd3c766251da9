import NIOCore

/// The one buffer of an event loop that all its connections receive into, each only while it reads: an idle connection
/// holds none.
///
/// It rests on how NIO's stream channels receive: with `maxMessagesPerRead` 1 a channel keeps the first buffer that its
/// allocator made, and, as long as the allocator answers `record` with true, asks for a new one at each further read and
/// drops it afterwards. So the first buffer is a tiny one, and every further one is this. `LentReceiveBufferTests` pins it.
final class LentReceiveBuffer {
    static let capacity = 1 << 16
    /// Of the buffer that a channel keeps; most CONNECT packets fit, a longer one costs a second read.
    static let firstCapacity = 64

    private var buffer: ByteBuffer?
    /// Every channel's first buffer. It is referenced here, so writing to it copies it, as NIO's second reference would
    /// anyway: one allocation less than a fresh one.
    fileprivate let first = ByteBufferAllocator().buffer(capacity: LentReceiveBuffer.firstCapacity)

    /// A buffer that nobody else holds, so that it is written in place.
    fileprivate func lend() -> ByteBuffer {
        guard var lent = buffer.take() else { return ByteBufferAllocator().buffer(capacity: Self.capacity) }
        lent.clear()
        return lent
    }

    /// Takes back what was lent; the channel lets go of it before the next read.
    func takeBack(_ lent: consuming ByteBuffer) {
        if lent.capacity >= Self.capacity { buffer = lent }
    }
}

/// Lends the loop's buffer to one channel. Confined to the loop as the channel is.
struct LendingAllocator: RecvByteBufferAllocator, @unchecked Sendable {
    private let lender: LentReceiveBuffer
    private var hasReceived = false

    init(_ lender: LentReceiveBuffer) { self.lender = lender }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        hasReceived ? lender.lend() : lender.first
    }

    mutating func record(actualReadBytes: Int) -> Bool {
        hasReceived = true
        return true
    }
}
