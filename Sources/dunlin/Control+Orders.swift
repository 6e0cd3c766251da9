import AdminAPI
import ArgumentParser
import BrokerConfiguration

extension Control {
    struct Kick: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a client's connection.",
            discussion: """
                A 5.0 client is told 0x98 (Administrative action). Its session stays as long as it asked for, its will is \
                published, and it may come back at once; `ban` keeps it out.
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "Its client identifier.")
        var client: String

        func run() async throws {
            try await options.run { administration in
                let target = AdminTarget.make("/v1/clients", [("client", client)])
                try options.write(try await administration.ask(.delete, target, for: Outcome.self))
            }
        }
    }

    /// Whom a ban is about.
    struct BanSubject: ParsableArguments {
        @Option(name: .long, help: ArgumentHelp("A client identifier.", valueName: "identifier"))
        var client: String?

        @Option(name: .long, help: ArgumentHelp("A user name.", valueName: "name"))
        var user: String?

        @Option(name: .long, help: ArgumentHelp("An IPv4 or IPv6 address.", valueName: "address"))
        var address: String?

        func validate() throws {
            if all.count != 1 { throw ValidationError("say one of --client, --user and --address.") }
        }

        private var all: [(kind: BanRow.Kind, value: String)] {
            [(BanRow.Kind.client, client), (.user, user), (.address, address)]
                .compactMap { kind, value in value.map { (kind, $0) } }
        }

        var kind: BanRow.Kind { all.first?.kind ?? .client }
        var value: String { all.first?.value ?? "" }
    }

    struct Ban: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep a client, a user or an address out, and end the connections that are there.",
            discussion: """
                Who is connected is told 0x98 (Administrative action) in 5.0, who connects 0x8A (Banned), or in 3.1.1 that \
                it is not authorized. A user is who says the name, or has proven it by a certificate or a token. There may \
                be 10,000 bans; a broker with a data directory keeps them there (bans.json), without one a restart lifts \
                them.
                """)

        @OptionGroup var options: ControlOptions
        @OptionGroup var subject: BanSubject

        @Option(
            name: .customLong("for"),
            help: ArgumentHelp("How long, for example 10m or 7d; without it until it is lifted.", valueName: "duration")
        )
        var duration: String?

        @Option(name: .long, help: ArgumentHelp("Why, for the list of bans.", valueName: "text"))
        var reason: String?

        func validate() throws { _ = try seconds() }

        private func seconds() throws -> Int? {
            guard let duration else { return nil }
            guard let parsed = Quantity.duration(parsing: duration), parsed >= .seconds(1) else {
                throw ValidationError(
                    "--for has to be a duration of a second or more, such as 10m, not \"\(duration)\".")
            }
            return Int(parsed.components.seconds)
        }

        func run() async throws {
            try await options.run { client in
                let row = BanRow(kind: subject.kind, value: subject.value, seconds: try seconds(), reason: reason)
                try options.write(try await client.ask(.post, "/v1/bans", body: row, for: Outcome.self))
            }
        }
    }

    struct Unban: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lift a ban.")

        @OptionGroup var options: ControlOptions
        @OptionGroup var subject: BanSubject

        func run() async throws {
            try await options.run { client in
                let target = AdminTarget.make("/v1/bans", [("kind", subject.kind.rawValue), ("value", subject.value)])
                try options.write(try await client.ask(.delete, target, for: Outcome.self))
            }
        }
    }

    struct Drain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move the clients away, for maintenance.",
            discussion: """
                The node refuses every CONNECT, /ready says no, and the connections are closed, so many a second. 5.0 \
                clients are told 0x9C (Use another server) or, with --permanent, 0x9D (Server moved), and the server to go \
                to; when there is none 0x8B (Server shutting down), or 0x88 (Server unavailable) in CONNACK. Returns at \
                once; `ctl nodes` shows how far it is. The node runs on until it is stopped, or takes clients again with \
                --undo. Any node of a flock can be asked for any other.
                """)

        @OptionGroup var options: ControlOptions

        @Argument(help: "The node of a flock; without it the one that is asked.")
        var node: String?

        @Flag(name: .long, help: "Take clients again.")
        var undo = false

        @Option(name: .long, help: ArgumentHelp("Connections to close in a second.", valueName: "n"))
        var rate: Int?

        @Option(
            name: .long,
            help: ArgumentHelp("The server that 5.0 clients are sent to, such as b2.example:1883.", valueName: "server")
        )
        var server: String?

        @Flag(name: .long, help: "Clients are to remember that server.")
        var permanent = false

        func run() async throws {
            try await options.run { client in
                let order = DrainOrder(
                    node: node, isUndone: undo ? true : nil, connectionsPerSecond: rate, serverReference: server,
                    isPermanent: permanent ? true : nil)
                try options.write(try await client.ask(.post, "/v1/drain", body: order, for: Outcome.self))
            }
        }
    }

    struct Reload: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Have the broker read its configuration again.",
            discussion: "A configuration that is wrong changes nothing, and what is wrong is printed.")

        @OptionGroup var options: ControlOptions

        func run() async throws {
            try await options.run { client in
                try options.write(try await client.ask(.post, "/v1/reload", for: Outcome.self))
            }
        }
    }

    struct ControlLogLevel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "log-level", abstract: "Print how much is logged, or change it until the next restart.")

        @OptionGroup var options: ControlOptions

        @Argument(help: "The new level: \(LogLevel.allCases.map(\.rawValue).joined(separator: ", ")).")
        var level: LogLevel?

        func run() async throws {
            try await options.run { client in
                let row =
                    if let level {
                        try await client.ask(
                            .put, "/v1/log-level", body: LogLevelRow(level: level.rawValue), for: LogLevelRow.self)
                    } else {
                        try await client.ask(.get, "/v1/log-level", for: LogLevelRow.self)
                    }
                if options.json { try options.writeJSON(row) } else { StandardStreams.writeLine(row.level) }
            }
        }
    }
}
