import NIOCore

/// Batches that were read again, as they lie in the log: sessions that come back together want messages of the same ones.
struct RecentBatches {
    private static let maximumBytes = 4 << 20

    private var batches: [UInt64: ByteBuffer] = [:]
    /// The oldest first.
    private var order: CircularBuffer<UInt64> = []
    private var byteCount = 0

    subscript(stream: UInt64) -> ByteBuffer? { batches[stream] }

    mutating func add(_ batch: ByteBuffer, at stream: UInt64) {
        guard batches[stream] == nil, batch.readableBytes <= Self.maximumBytes else { return }
        // What is kept is not to hold all that came with it.
        batches[stream] = ByteBuffer(bytes: batch.readableBytesView)
        order.append(stream)
        byteCount += batch.readableBytes
        while byteCount > Self.maximumBytes, let oldest = order.popFirst() {
            byteCount -= batches.removeValue(forKey: oldest)?.readableBytes ?? 0
        }
    }
}
