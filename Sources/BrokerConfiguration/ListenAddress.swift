/// An address to listen on, written `HOST:PORT`; an IPv6 address stands in brackets, as in `[::1]:1883`.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// An IPv4 address, an IPv6 address without brackets, or a name.
    package var host: String
    /// 0 lets the system choose.
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Why a text is no address; says what one looks like.
    package struct Malformed: Error, CustomStringConvertible {
        package let description: String

        init(_ text: String, _ reason: String) {
            description =
                "\"\(text)\" is not an address to listen on: \(reason); write HOST:PORT, for example 127.0.0.1:1883 "
                + "or [::1]:1883"
        }
    }

    package init(parsing text: String) throws(Malformed) {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { throw Malformed(text, "it has no port") }
        var host = text[..<colon]
        let portText = text[text.utf8.index(after: colon)...]
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
        self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine can reach the address. A name other than localhost counts as reachable by others:
    /// what it stands for may change.
    package var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return numbers.count == 4 && numbers[0] == 127 && numbers.allSatisfy { $0 != nil }
    }
}
