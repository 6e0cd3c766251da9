import NIOCore

/// Buffers for what is to be written, held by a connection only while it has something to write.
///
/// Bounded in bytes; what does not fit is freed.
struct OutboundBufferPool {
    static let maximumBytes = 1 << 23
    static let initialCapacity = 1024
    private static let empty = ByteBuffer()

    private var buffers: [ByteBuffer] = []
    private var bytes = 0
    private let allocator = ByteBufferAllocator()

    mutating func borrow() -> ByteBuffer {
        guard let buffer = buffers.popLast() else { return allocator.buffer(capacity: Self.initialCapacity) }
        bytes -= buffer.capacity
        return buffer
    }

    /// Takes `buffer`, which nobody else may hold: clearing it would allocate a new one.
    mutating func giveBack(_ buffer: inout ByteBuffer) {
        guard bytes + buffer.capacity <= Self.maximumBytes else { return }
        buffer.clear()
        bytes += buffer.capacity
        buffers.append(buffer)
        buffer = OutboundBufferPool.empty
    }
}
