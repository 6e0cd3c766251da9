extension Setting {
    /// How the broker is looked after: a key for each property of `AdminOptions`.
    static let admin: [Setting] = [
        adminListeners,
        text(
            "admin.token-file", \.admin.tokenFile, range: "a path",
            """
            File with the token that a request over TCP has to show (Authorization: Bearer TOKEN), at least 16 characters \
            in one line. Without it such requests get /live, /ready and /metrics and nothing else. A Unix socket asks for \
            none: who may open it is decided by the permissions of its directory, and it is this user's alone.
            """),
        text(
            "admin.server-reference", \.admin.serverReference, range: "a text of at most 1024 bytes",
            """
            Where `dunlin ctl drain` sends 5.0 clients (Server Reference), such as broker-2.example:1883, unless it is \
            told something else. Without it they are told 0x8B (Server shutting down) and find another one themselves.
            """),
        integer(
            "admin.drain-rate", \.admin.drainRate, in: 1...1_000_000,
            "Connections that `dunlin ctl drain` closes in a second, unless it is told something else."),
        integer(
            "admin.maximum-connections", \.admin.maximumConnections, in: 1...10_000,
            "Connections to each of the addresses at the same time. Further ones wait to be accepted."),
        size(
            "admin.maximum-request-size", \.admin.maximumRequestSize, in: 1024...(1 << 24),
            "Bytes of a request's header, and of its body; a larger one is refused with 431 or 413."),
        duration(
            "admin.request-timeout", \.admin.requestTimeout, in: .milliseconds(100)...(.seconds(600)),
            "Time for a request, from its header to its answer; then it is answered with 503."),
        duration(
            "admin.idle-timeout", \.admin.idleTimeout, in: .milliseconds(100)...(.seconds(3600)),
            "Time that a connection may be without a request, or send its header; then it is closed."),
    ]

    private static let adminListeners = Setting(
        "admin.listeners", .list, range: "HOST:PORT, unix:PATH, …",
        """
        Where the broker answers over HTTP: health (/live, /ready), metrics (/metrics), and `dunlin ctl`. Without this key: \
        over the Unix socket admin.sock in the data directory, if there is one; an empty list turns it off.
        """
    ) { value, settings throws(Refusal) in
        guard case .list(let texts) = value else {
            throw Refusal(text: "has to be a list of addresses, for example [\"127.0.0.1:9883\"]")
        }
        var addresses: [AdminAddress] = []
        for text in texts {
            do throws(AdminAddress.Malformed) {
                addresses.append(try AdminAddress(parsing: text))
            } catch {
                throw Refusal(text: error.description)
            }
        }
        settings.admin.listeners = addresses
    } written: { settings in
        settings.admin.listeners.map { "[" + $0.map { "\"\($0)\"" }.joined(separator: ", ") + "]" }
    }

    private static func text(
        _ key: String, _ path: Path<String?>, range: String, _ documentation: String
    ) -> Setting {
        Setting(key, .text, range: range, documentation) { value, settings throws(Refusal) in
            guard case .text(let text) = value, (1...1024).contains(text.utf8.count), !text.contains("\0") else {
                throw Refusal(text: "has to be \(range)")
            }
            settings[keyPath: path] = text
        } written: {
            $0[keyPath: path].map { "\"\($0)\"" }
        }
    }
}
