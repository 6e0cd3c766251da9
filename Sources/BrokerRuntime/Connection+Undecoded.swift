import NIOCore

extension Connection {
    /// Keeps a copy of bytes that cannot be decoded yet.
    final func keep(_ bytes: UnsafeRawBufferPointer) {
        if undecoded == nil {
            undecoded = ByteBuffer(bytes: bytes)
        } else {
            undecoded?.writeBytes(bytes)
        }
    }

    /// Bytes that the packet at the start of `undecoded` lacks, as far as is known: one when not even its length is.
    final var missingBytes: Int {
        guard let undecoded else { return 1 }
        return undecoded.withUnsafeReadableBytes { bytes in
            var remaining = 0
            var index = 1
            while index < min(bytes.count, 5) {
                remaining |= Int(bytes[index] & 0x7F) << (7 * (index - 1))
                index += 1
                if bytes[index - 1] & 0x80 == 0 { return max(1, index + remaining - bytes.count) }
            }
            return 1
        }
    }
}
