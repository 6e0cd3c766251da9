import MQTTModel

/// Reads the fields of a packet, front to back, within the bounds of the bytes it was given.
///
/// Whatever does not fit ends in a `ProtocolViolation`, never in a read past the end. It works on a pointer because
/// every PUBLISH passes through it; the pointer is only used here, behind a check, and is valid as long as the bytes
/// that the caller of `PacketDecoder.decode` lends.
struct ByteReader {
    private let base: UnsafeRawPointer
    private(set) var index: Int
    private let end: Int

    /// Reads `bytes[range]`; the caller has checked that the range lies within.
    init(base: UnsafeRawPointer, range: Range<Int>) {
        self.base = base
        self.index = range.lowerBound
        self.end = range.upperBound
    }

    /// Bytes that are left.
    var count: Int { end &- index }
    var isAtEnd: Bool { index == end }

    @inline(__always)
    mutating func readUInt8() throws(ProtocolViolation) -> UInt8 {
        guard count >= 1 else { throw ByteReader.tooShort() }
        let value = base.load(fromByteOffset: index, as: UInt8.self)
        index &+= 1
        return value
    }

    @inline(__always)
    mutating func readUInt16() throws(ProtocolViolation) -> UInt16 {
        guard count >= 2 else { throw ByteReader.tooShort() }
        let value = UInt16(bigEndian: base.loadUnaligned(fromByteOffset: index, as: UInt16.self))
        index &+= 2
        return value
    }

    @inline(__always)
    mutating func readUInt32() throws(ProtocolViolation) -> UInt32 {
        guard count >= 4 else { throw ByteReader.tooShort() }
        let value = UInt32(bigEndian: base.loadUnaligned(fromByteOffset: index, as: UInt32.self))
        index &+= 4
        return value
    }

    /// A variable byte integer in its shortest form, the only legal one [MQTT-1.5.5-1].
    mutating func readVariableByteInteger() throws(ProtocolViolation) -> Int {
        var value = 0
        for position in 0..<4 {
            let byte = try readUInt8()
            value |= Int(byte & 0x7F) << (7 * position)
            guard byte < 0x80 else { continue }
            if byte == 0, position > 0 {
                throw .malformed("MQTT-1.5.5-1", "a variable byte integer takes more bytes than it needs")
            }
            return value
        }
        throw .malformed("MQTT-1.5.5-1", "a variable byte integer takes more than four bytes")
    }

    @inline(__always)
    mutating func readBytes(_ byteCount: Int) throws(ProtocolViolation) -> UnsafeRawBufferPointer {
        guard byteCount >= 0, byteCount <= count else { throw ByteReader.tooShort() }
        let bytes = UnsafeRawBufferPointer(start: base + index, count: byteCount)
        index &+= byteCount
        return bytes
    }

    /// All that is left, not yet read.
    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base + index, count: count) }

    /// A reader of the next `byteCount` bytes, which this one skips.
    mutating func readSection(_ byteCount: Int) throws(ProtocolViolation) -> ByteReader {
        guard byteCount >= 0, byteCount <= count else { throw ByteReader.tooShort() }
        defer { index &+= byteCount }
        return ByteReader(base: base, range: index..<(index &+ byteCount))
    }

    /// The bytes from `start`, an earlier `index`, up to here.
    func bytes(since start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + start, count: index &- start)
    }

    /// Binary data: a length of two bytes and that many bytes (5.0 section 1.5.6).
    @inline(__always)
    mutating func readBinary() throws(ProtocolViolation) -> UnsafeRawBufferPointer {
        try readBytes(Int(readUInt16()))
    }

    /// A UTF-8 string (5.0 section 1.5.4) as bytes, checked.
    @inline(__always)
    mutating func readUTF8() throws(ProtocolViolation) -> UnsafeRawBufferPointer {
        let bytes = try readBinary()
        guard UTF8Rules.isValid(bytes) else { throw ByteReader.illFormedString() }
        return bytes
    }

    mutating func readString() throws(ProtocolViolation) -> String {
        try String(decoding: readUTF8(), as: UTF8.self)
    }

    /// A packet identifier, which is not 0.
    @inline(__always)
    mutating func readPacketIdentifier() throws(ProtocolViolation) -> PacketIdentifier {
        let identifier = try readUInt16()
        guard identifier != 0 else { throw .protocolError("MQTT-2.2.1-3", "packet identifier 0") }
        return identifier
    }

    /// The content of a packet ends here.
    @inline(__always)
    func requireEnd() throws(ProtocolViolation) {
        guard isAtEnd else { throw .malformed("MQTT-4.13.1-1", "the packet is longer than its content") }
    }

    @inline(never)
    private static func tooShort() -> ProtocolViolation {
        .malformed("MQTT-4.13.1-1", "a field reaches past the end of the packet or of its properties")
    }

    @inline(never)
    static func illFormedString() -> ProtocolViolation {
        .malformed("MQTT-1.5.4-1", "a string is not well-formed UTF-8 or has U+0000")
    }
}
