/// Where a server listens for clients.
package struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    package static let defaultPort = 4222

    package var host: String
    package var port: Int
    /// From `tls://`: the connection has to be encrypted, whatever the server says.
    package var requiresTLS = false

    package init(host: String, port: Int = ServerAddress.defaultPort, requiresTLS: Bool = false) {
        self.host = host
        self.port = port
        self.requiresTLS = requiresTLS
    }

    /// `nats://host:4222`, `tls://host`, `host:4222`, `[::1]:4222`; nil for anything else, also for a name and a password
    /// in front of the host, which belong into the options.
    package init?(_ text: String) {
        var rest = text[...]
        if let scheme = rest.range(ofScheme: "://") {
            switch rest[..<scheme.lowerBound] {
            case "nats": break
            case "tls": requiresTLS = true
            default: return nil
            }
            rest = rest[scheme.upperBound...]
        }
        if rest.last == "/" { rest.removeLast() }
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
        } else {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            host = String(rest[..<end])
            rest = rest[end...]
        }
        port = ServerAddress.defaultPort
        if !rest.isEmpty {
            guard rest.first == ":", let port = UInt16(rest.dropFirst()), port > 0 else { return nil }
            self.port = Int(port)
        }
        guard !host.isEmpty, !host.contains(where: { "@/?# []".contains($0) }) else { return nil }
    }

    package var description: String {
        "\(requiresTLS ? "tls" : "nats")://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}

extension Substring {
    fileprivate func range(ofScheme separator: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(separator) { return start..<index(start, offsetBy: separator.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
