import MQTTModel

/// Where an encoder writes the fields of a packet: `ByteWriter` keeps the bytes, `ByteCounter` only counts them, so
/// that lengths come from the same code as the bytes.
protocol ByteSink {
    mutating func write(_ value: UInt8)
    mutating func write(_ value: UInt16)
    mutating func write(_ value: UInt32)
    mutating func write(_ bytes: UnsafeRawBufferPointer)
}

extension ByteSink {
    @inline(__always)
    mutating func writeVariableByteInteger(_ value: Int) {
        if value < 0x80 { return write(UInt8(truncatingIfNeeded: value)) }
        writeLongVariableByteInteger(value)
    }

    private mutating func writeLongVariableByteInteger(_ value: Int) {
        var rest = value
        while rest >= 0x80 {
            write(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        write(UInt8(truncatingIfNeeded: rest))
    }

    /// A string or binary data with its length. What is longer than its length field can say is cut: the standard has no
    /// way to send it, and no peer can make us try.
    mutating func writeWithLength(_ bytes: UnsafeRawBufferPointer) {
        assert(bytes.count <= Int(UInt16.max))
        let count = min(bytes.count, Int(UInt16.max))
        write(UInt16(count))
        write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
    }

    mutating func write(_ string: String) {
        var copy = string
        copy.withUTF8 { writeWithLength(UnsafeRawBufferPointer($0)) }
    }

    mutating func write(_ binary: [UInt8]) {
        binary.withUnsafeBytes { writeWithLength($0) }
    }
}

/// Counts what would be written.
struct ByteCounter: ByteSink {
    private(set) var count = 0

    mutating func write(_ value: UInt8) { count += 1 }
    mutating func write(_ value: UInt16) { count += 2 }
    mutating func write(_ value: UInt32) { count += 4 }
    mutating func write(_ bytes: UnsafeRawBufferPointer) { count += bytes.count }
}

/// Writes into memory that was reserved for exactly the bytes that come; writing past it is a programming error and
/// stops, in release builds too.
struct ByteWriter: ByteSink {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    @inline(__always)
    private mutating func advance(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let start = count
        precondition(byteCount <= memory.count &- start, "an encoder writes no more than it has reserved")
        count = start &+ byteCount
        return memory.baseAddress.unsafelyUnwrapped + start
    }

    @inline(__always)
    mutating func write(_ value: UInt8) { advance(1).storeBytes(of: value, as: UInt8.self) }

    @inline(__always)
    mutating func write(_ value: UInt16) { advance(2).storeBytes(of: value.bigEndian, as: UInt16.self) }

    @inline(__always)
    mutating func write(_ value: UInt32) { advance(4).storeBytes(of: value.bigEndian, as: UInt32.self) }

    @inline(__always)
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        advance(bytes.count).copyMemory(from: source, byteCount: bytes.count)
    }
}
