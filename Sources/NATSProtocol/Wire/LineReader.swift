/// Reads the words of a control line, front to back.
///
/// It does not hold the bytes, which only last for a call: the caller gives it the same ones each time.
struct LineReader {
    /// Of the line, its end not counted.
    let end: Int
    private var index = 0

    init(end: Int) { self.end = end }

    /// Whether only blanks are left.
    mutating func isAtEnd(_ bytes: Span<UInt8>) -> Bool {
        skipBlanks(bytes)
        return index == end
    }

    /// The next word, or the empty range at the end when there is none.
    mutating func readToken(_ bytes: Span<UInt8>) -> Range<Int> {
        skipBlanks(bytes)
        let start = index
        while index < end, !Byte.isBlank(bytes[index]) { index &+= 1 }
        return start..<index
    }

    mutating func readNumber(_ bytes: Span<UInt8>) -> UInt64? {
        DecimalNumber.parse(bytes, readToken(bytes))
    }

    /// What is left, without blanks around it.
    mutating func readRest(_ bytes: Span<UInt8>) -> Range<Int> {
        skipBlanks(bytes)
        var last = end
        while last > index, Byte.isBlank(bytes[last - 1]) { last -= 1 }
        defer { index = end }
        return index..<last
    }

    /// What is left, without blanks and single quotes around it.
    mutating func readQuotedRest(_ bytes: Span<UInt8>) -> Range<Int> {
        let rest = readRest(bytes)
        guard rest.count >= 2, bytes[rest.lowerBound] == Byte.quote, bytes[rest.upperBound - 1] == Byte.quote else {
            return rest
        }
        return rest.lowerBound + 1..<rest.upperBound - 1
    }

    private mutating func skipBlanks(_ bytes: Span<UInt8>) {
        while index < end, Byte.isBlank(bytes[index]) { index &+= 1 }
    }
}

/// Numbers in their decimal digits.
enum DecimalNumber {
    /// Digits as a number; nil for none, for anything else, and for more than `UInt64` holds.
    static func parse(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty, range.count <= 20 else { return nil }
        var value: UInt64 = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }
}

/// The bytes that structure the protocol.
enum Byte {
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")
    static let quote = UInt8(ascii: "'")
    static let dot = UInt8(ascii: ".")
    static let colon = UInt8(ascii: ":")

    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }
}
