package import struct NIOCore.ByteBuffer

/// JetStream's word that a message is stored: `{"stream":"LOG","seq":7,"duplicate":true}`.
package struct PublishAcknowledgement: Hashable, Sendable {
    /// Of the message in its stream; that of the first one, if it is a duplicate.
    package var sequence: UInt64
    /// The stream had a message with this identifier already.
    package var isDuplicate: Bool

    package init(sequence: UInt64, isDuplicate: Bool) {
        self.sequence = sequence
        self.isDuplicate = isDuplicate
    }

    /// Reads what servers write without a JSON parser, since each stored message has one; nil for anything else, also
    /// for an error, which is to be parsed with care.
    package init?(json: ByteBuffer) {
        let bytes = json.readableBytesUInt8Span
        var sequence: UInt64?
        var isDuplicate = false
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\"") else {
                index += 1
                continue
            }
            guard let end = PublishAcknowledgement.endOfString(bytes, from: index + 1) else { return nil }
            let name = index + 1..<end
            index = end + 1
            guard index < bytes.count, bytes[index] == Byte.colon else { continue }
            let value = PublishAcknowledgement.value(bytes, from: index + 1)
            if PublishAcknowledgement.isEqual(bytes, name, "error") { return nil }
            if PublishAcknowledgement.isEqual(bytes, name, "seq") { sequence = DecimalNumber.parse(bytes, value) }
            if PublishAcknowledgement.isEqual(bytes, name, "duplicate") {
                isDuplicate = PublishAcknowledgement.isEqual(bytes, value, "true")
            }
        }
        guard let sequence, sequence > 0 else { return nil }
        (self.sequence, self.isDuplicate) = (sequence, isDuplicate)
    }

    private static func endOfString(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\"") { return index }
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    /// A number or a word; empty for what begins in another way.
    private static func value(_ bytes: Span<UInt8>, from start: Int) -> Range<Int> {
        var first = start
        while first < bytes.count, Byte.isBlank(bytes[first]) { first += 1 }
        var end = first
        while end < bytes.count, isWordCharacter(bytes[end]) { end += 1 }
        return first..<end
    }

    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func isEqual(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { wanted in
            for (offset, index) in range.enumerated() where bytes[index] != wanted[offset] { return false }
            return true
        }
    }
}
