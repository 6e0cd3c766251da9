package import struct NIOCore.ByteBuffer

/// The headers of a message as they are on the wire: a version line that may carry a status, then one field a line.
///
/// Names are compared as they are written. Reading scans the bytes: blocks are short, and most are read for one field.
package struct HeaderBlock: Hashable, Sendable {
    /// With the empty line at the end.
    package private(set) var bytes: ByteBuffer

    private static let version: StaticString = "NATS/1.0"

    /// A block without fields.
    package init() {
        bytes = ByteBuffer()
        bytes.writeStaticString(HeaderBlock.version)
        bytes.writeStaticString("\r\n\r\n")
    }

    /// A block as it was received.
    package init(received bytes: ByteBuffer) { self.bytes = bytes }

    package struct InvalidField: Error, Hashable, Sendable {
        package var name: String
    }

    /// Appends a field.
    ///
    /// - Throws: when the name is no token (RFC 5322: visible, without a colon) or the value has an end of a line in it.
    package mutating func append(_ name: String, _ value: some StringProtocol) throws(InvalidField) {
        let isNameLegal = !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != Byte.colon }
        let isValueLegal = value.utf8.allSatisfy { $0 != Byte.carriageReturn && $0 != Byte.lineFeed && $0 != 0 }
        guard isNameLegal, isValueLegal else { throw InvalidField(name: name) }
        write(name, value)
    }

    /// Appends a field with a number.
    package mutating func append(_ name: StaticString, _ value: UInt64) { write("\(name)", String(value)) }

    private mutating func write(_ name: String, _ value: some StringProtocol) {
        bytes.moveWriterIndex(to: bytes.writerIndex - 2)
        bytes.writeString(name)
        bytes.writeStaticString(": ")
        bytes.writeSubstring(Substring(value))
        bytes.writeStaticString("\r\n\r\n")
    }

    /// The status of the version line: 100 for heartbeats and flow control, 404 and the like for the answers of
    /// JetStream, 503 when nobody answers; nil when it has none.
    package var status: Int? {
        let line = bytes.readableBytesUInt8Span
        var reader = LineReader(end: endOfText(from: 0))
        _ = reader.readToken(line)
        return reader.readNumber(line).map { Int(clamping: $0) }
    }

    /// The words behind the status.
    package var statusText: String {
        let line = bytes.readableBytesUInt8Span
        var reader = LineReader(end: endOfText(from: 0))
        _ = reader.readToken(line)
        _ = reader.readToken(line)
        return text(reader.readRest(line))
    }

    /// The value of the first field with this name.
    package subscript(_ name: StaticString) -> String? { range(of: name).map(text) }

    /// The value of the first field with this name as a number; nil when it is none.
    package func number(_ name: StaticString) -> UInt64? {
        range(of: name).flatMap { DecimalNumber.parse(bytes.readableBytesUInt8Span, $0) }
    }

    /// All fields in order.
    package var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        forEachField { name, value in
            fields.append((text(name), text(value)))
            return true
        }
        return fields
    }

    private func range(of name: StaticString) -> Range<Int>? {
        var found: Range<Int>?
        let span = bytes.readableBytesUInt8Span
        forEachField { field, value in
            guard field.count == name.utf8CodeUnitCount else { return true }
            let isSame = name.withUTF8Buffer { wanted in
                for (offset, index) in field.enumerated() where span[index] != wanted[offset] { return false }
                return true
            }
            if isSame { found = value }
            return !isSame
        }
        return found
    }

    /// Calls with name and value of each field until the answer is false. A line without a colon is passed over.
    private func forEachField(_ body: (_ name: Range<Int>, _ value: Range<Int>) -> Bool) {
        let span = bytes.readableBytesUInt8Span
        var start = endOfLine(from: 0) + 1
        while start < span.count {
            let end = endOfLine(from: start)
            defer { start = end + 1 }
            let lineEnd = endOfText(from: start)
            guard let colon = (start..<lineEnd).first(where: { span[$0] == Byte.colon }) else { continue }
            var value = colon + 1..<lineEnd
            while let first = value.first, Byte.isBlank(span[first]) { value = first + 1..<lineEnd }
            guard body(start..<colon, value) else { return }
        }
    }

    /// The index of the line feed, or of the end.
    private func endOfLine(from start: Int) -> Int {
        let span = bytes.readableBytesUInt8Span
        return (start..<max(start, span.count)).first { span[$0] == Byte.lineFeed } ?? span.count
    }

    /// The index of what ends the line.
    private func endOfText(from start: Int) -> Int {
        let end = endOfLine(from: start)
        return end > start && bytes.readableBytesUInt8Span[end - 1] == Byte.carriageReturn ? end - 1 : end
    }

    private func text(_ range: Range<Int>) -> String {
        bytes.getString(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ""
    }
}
