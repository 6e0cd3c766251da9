import MQTTModel

/// `docs/conformance.md`.
struct ConformanceDocument {
    static let path = "docs/conformance.md"
    /// Exchanges named for one statement or trap; the others are counted.
    private static let namedExchanges = 4

    let data: ConformanceData

    var text: String {
        var lines = introduction
        for version in [ProtocolVersion.v3_1_1, .v5_0] {
            let statements = data.statements.filter { $0.version == version }
            lines += ["", "## MQTT \(version.numberText)", "", count(statements), ""]
            lines += ["| id | binds | what it says | held by |", "|---|---|---|---|"]
            for statement in statements {
                lines.append(
                    "| \(statement.id) | \(statement.bound) | \(cell(statement.text)) | \(evidence(statement)) |")
            }
        }
        lines += ["", "## Where brokers fail", ""]
        lines.append("Places where one broker or another was seen to go wrong, and the exchanges about them.")
        lines += ["", "| | what to get right | held by |", "|---|---|---|"]
        for trap in data.traps {
            let exchanges = Exchange.all.filter { $0.traps.contains(trap.number) }
            lines.append("| \(trap.number) | \(cell(trap.text)) | \(names(exchanges)) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var introduction: [String] {
        let all = Exchange.cases
        let overSockets = all.filter { $0.exchange.coreOnly == nil }
        return """
            # Conformance

            Every normative statement of MQTT 3.1.1 and 5.0, in our words, with the tests that hold it or the reason why
            it has none. Written by `make docs` from the tests and from the tables in `docs/conformance`; a test fails
            when it is out of date, or when a statement has neither.

            The tests are *exchanges* (`Tests/ConformanceTests/Exchanges`): packets and bytes that clients send, and what
            the broker has to answer, as data. There are \(Exchange.all.count), which make \(all.count) cases with the
            versions they are about. Each is run at three depths: against the codec and the pure core with one shard;
            with three shards, every byte arriving alone; and over TCP against a whole broker with two shards, but for
            the \(all.count - overSockets.count) cases that need time to pass (marked \\*). A quarter of those over TCP is
            run over TLS, WebSocket or secure WebSocket as well. All of those over TCP are also run with a data
            directory, and against flocks over a nats-server: of one node, and of two that get the connections of an
            exchange in turn.

            The tests encode and decode packets by themselves. On every connection of every exchange they hold: CONNACK
            first and once, nothing after DISCONNECT, no packet above the client's Maximum Packet Size, no more
            unacknowledged messages than its Receive Maximum, no packet identifier in use, no topic alias above its
            maximum, reserved bits, shortest lengths, and only properties and reason codes that the packet may have.
            After every exchange the core's tables hold nothing of what has ended.
            """.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private func count(_ statements: [Statement]) -> String {
        let tested = statements.count { $0.hasTest }
        let open = statements.filter { !$0.hasTest && $0.reason?.hasPrefix("open") == true }
        let rest = statements.count - tested - open.count
        return "\(statements.count) statements: \(tested) with a test, \(rest) that need none, \(open.count) open."
    }

    private func evidence(_ statement: Statement) -> String {
        var parts: [String] = []
        if !statement.exchanges.isEmpty { parts.append(names(statement.exchanges)) }
        parts += statement.files.map { "`\($0)`" }
        if let reason = statement.reason { parts.append("*\(cell(reason))*") }
        return parts.joined(separator: "<br>")
    }

    private func names(_ exchanges: [Exchange]) -> String {
        var parts = exchanges.prefix(Self.namedExchanges).map { cell($0.name) + ($0.coreOnly == nil ? "" : " \\*") }
        if exchanges.count > Self.namedExchanges {
            parts.append("and \(exchanges.count - Self.namedExchanges) more")
        }
        return parts.joined(separator: "<br>")
    }

    /// Text for a cell of a table.
    private func cell(_ text: String) -> String {
        var escaped = ""
        for character in text {
            if "|*<_".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }
}
