/// What was read is no record that this version knows.
package struct MalformedRecord: Error, Hashable, CustomStringConvertible {
    package let reason: String
    /// Bytes before the fault.
    package let offset: Int

    package init(reason: String, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(reason) at byte \(offset)" }
}

/// Reads what `RecordWriter` has written. Every length is held against what is there.
package struct RecordReader {
    private let bytes: UnsafeRawBufferPointer
    package private(set) var offset = 0
    /// Whether messages are read without being made: each is an empty one then.
    var skipsMessages = false

    /// Reads from `bytes`, which have to outlive the reader.
    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    package var isAtEnd: Bool { offset == bytes.count }

    package func malformed(_ reason: String) -> MalformedRecord { MalformedRecord(reason: reason, offset: offset) }

    package mutating func byte() throws(MalformedRecord) -> UInt8 {
        guard offset < bytes.count else { throw malformed("the record ends too early") }
        defer { offset += 1 }
        return bytes[offset]
    }

    package mutating func number() throws(MalformedRecord) -> UInt64 {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            let group = UInt64(next & 0x7F)
            guard shift < 63 || (shift == 63 && group <= 1) else { throw malformed("a number has more than 64 bits") }
            result |= group << shift
            if next & 0x80 == 0 { return result }
            shift += 7
        }
    }

    package mutating func number<Number: FixedWidthInteger>(
        as type: Number.Type
    ) throws(MalformedRecord) -> Number {
        guard let number = Number(exactly: try number()) else { throw malformed("a number is too large") }
        return number
    }

    package mutating func optionalNumber<Number: FixedWidthInteger>(
        as type: Number.Type
    ) throws(MalformedRecord) -> Number? {
        let encoded = try number()
        if encoded == 0 { return nil }
        guard let number = Number(exactly: encoded - 1) else { throw malformed("a number is too large") }
        return number
    }

    /// A view into what is read.
    package mutating func field() throws(MalformedRecord) -> UnsafeRawBufferPointer {
        let count = try number()
        guard count <= UInt64(bytes.count - offset) else { throw malformed("a field is longer than its record") }
        defer { offset += Int(count) }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + Int(count))])
    }

    /// A view into all that is left.
    package mutating func rest() -> UnsafeRawBufferPointer {
        defer { offset = bytes.count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset...])
    }

    package mutating func text() throws(MalformedRecord) -> String {
        let field = try field()
        guard let text = String(validating: field, as: UTF8.self) else { throw malformed("a text is not UTF-8") }
        return text
    }

    package mutating func flag() throws(MalformedRecord) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw malformed("a flag is neither 0 nor 1")
        }
    }

    /// A number of elements, which has to be possible for what is left.
    package mutating func count() throws(MalformedRecord) -> Int {
        let count = try number()
        guard count <= UInt64(bytes.count - offset) else { throw malformed("a list is longer than its record") }
        return Int(count)
    }
}
