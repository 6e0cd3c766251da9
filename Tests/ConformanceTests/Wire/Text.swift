/// Bytes that a packet carries as a string or a payload: written as a literal, or in hexadecimal where they are no text.
struct Text: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
    init(_ string: String) { bytes = Array(string.utf8) }
    init(stringLiteral value: String) { self.init(value) }

    static func hex(_ digits: String) -> Text { Text(.hex(digits)) }

    /// As many times the letter `x`.
    static func long(_ count: Int) -> Text { Text([UInt8](repeating: 0x78, count: count)) }

    var description: String {
        if bytes.count > 40 { return "\(bytes.count) bytes" }
        return String(validating: bytes, as: UTF8.self).map { "\"\($0)\"" } ?? bytes.hexDigits
    }
}

extension [UInt8] {
    /// The bytes of `"30 04 00 01"`; blanks are ignored.
    static func hex(_ digits: String) -> [UInt8] {
        let compact = digits.filter { !$0.isWhitespace }
        precondition(compact.count.isMultiple(of: 2), "two digits a byte: \(digits)")
        var bytes: [UInt8] = []
        var index = compact.startIndex
        while index < compact.endIndex {
            let next = compact.index(index, offsetBy: 2)
            guard let byte = UInt8(compact[index..<next], radix: 16) else { preconditionFailure("no byte: \(digits)") }
            bytes.append(byte)
            index = next
        }
        return bytes
    }

    var hexDigits: String {
        let shown = prefix(64).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "0" + digits : digits
        }
        return shown.joined(separator: " ") + (count > 64 ? " … (\(count) bytes)" : "")
    }
}
