extension ListenAddress {
    /// Why a text is no address; says what one looks like.
    package struct Malformed: Error, CustomStringConvertible {
        package let description: String

        init(_ text: String, _ reason: String) {
            description =
                "\"\(text)\" is not an address to listen on: \(reason); write HOST:PORT, for example 127.0.0.1:1883 "
                + "or [::1]:1883, with tls://, ws:// or wss:// before it, or unix:PATH"
        }
    }

    /// The longest path of a Unix socket that the system takes, bytes.
    private static let maximumPathLength = 107

    package init(parsing text: String) throws(Malformed) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst("unix:".count)
            guard !path.isEmpty, path.utf8.count <= Self.maximumPathLength, !path.utf8.contains(0) else {
                throw Malformed(text, "the path has to be of 1 to \(Self.maximumPathLength) bytes")
            }
            self.init(unixPath: String(path))
            return
        }
        var rest = Substring(text)
        var transport = Transport.tcp
        if let separator = text.firstRange(of: "://") {
            guard let named = Transport(rawValue: String(text[..<separator.lowerBound])) else {
                throw Malformed(text, "the transport has to be tcp, tls, ws or wss")
            }
            transport = named
            rest = text[separator.upperBound...]
        }
        let (host, port) = try Self.hostAndPort(rest, of: text)
        self.init(transport: transport, host: host, port: port)
    }

    private static func hostAndPort(_ rest: Substring, of text: String) throws(Malformed) -> (String, Int) {
        guard let colon = rest.utf8.lastIndex(of: UInt8(ascii: ":")) else { throw Malformed(text, "it has no port") }
        var host = rest[..<colon]
        let portText = rest[rest.utf8.index(after: colon)...]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), host.contains(":") else {
                throw Malformed(text, "brackets are for an IPv6 address")
            }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw Malformed(text, "an IPv6 address needs brackets")
        }
        guard !host.isEmpty else { throw Malformed(text, "it has no host (0.0.0.0 stands for every IPv4 address)") }
        guard !host.contains(where: { $0.isWhitespace || $0 == "/" }) else {
            throw Malformed(text, "the host is no name and no address")
        }
        guard portText.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(portText), port <= 65_535
        else { throw Malformed(text, "the port has to be a number up to 65535") }
        return (String(host), port)
    }
}
