/// Writes the fields of a record: numbers in seven-bit groups, least significant first; texts and bytes behind their length.
package struct RecordWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func append(byte: UInt8) { bytes.append(byte) }

    package mutating func append(_ number: some UnsignedInteger) {
        var rest = UInt64(number)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func append(_ text: String) {
        append(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    package mutating func append(_ field: UnsafeRawBufferPointer) {
        append(UInt64(field.count))
        bytes.append(contentsOf: field)
    }

    /// A number that may be missing: one more than it, or 0.
    package mutating func append(optional number: (some UnsignedInteger)?) {
        append(number.map { UInt64($0) &+ 1 } ?? 0)
    }
}
