extension ProxyHeader {
    /// With the CR LF at its end.
    private static let maximumLineLength = 107

    /// `PROXY TCP4 192.0.2.1 192.0.2.2 51000 1883`, or with TCP6, or `PROXY UNKNOWN` and anything.
    static func parseVersion1(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> Outcome {
        guard zip(bytes, "PROXY ".utf8).allSatisfy({ $0 == $1 }) else { throw Malformed("no PROXY protocol header") }
        let window = bytes.prefix(maximumLineLength)
        guard let end = window.firstIndex(of: 0x0A) else {
            guard bytes.count < maximumLineLength else { throw Malformed("a line without an end") }
            return .incomplete
        }
        guard end > 0, bytes[end - 1] == 0x0D,
            let line = String(validating: bytes[..<(end - 1)], as: Unicode.ASCII.self)
        else { throw Malformed("a line that does not end with CR LF") }
        return .header(try header(line), byteCount: end + 1)
    }

    private static func header(_ line: String) throws(Malformed) -> ProxyHeader {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        if words.count >= 2, words[1] == "UNKNOWN" { return ProxyHeader(address: nil, port: 0) }
        guard words.count == 6, words[1] == "TCP4" || words[1] == "TCP6" else {
            throw Malformed("neither TCP4, TCP6 nor UNKNOWN")
        }
        let size = words[1] == "TCP4" ? 4 : 16
        guard let source = IPAddress(parsing: String(words[2])), source.bytes.count == size,
            let destination = IPAddress(parsing: String(words[3])), destination.bytes.count == size
        else { throw Malformed("an address that is none") }
        guard let port = port(words[4]), self.port(words[5]) != nil else { throw Malformed("a port that is none") }
        return ProxyHeader(address: source, port: port)
    }

    private static func port(_ word: Substring) -> Int? {
        guard (1...5).contains(word.utf8.count), word.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            word == "0" || word.utf8.first != 0x30, let port = Int(word), port <= 65_535
        else { return nil }
        return port
    }
}
