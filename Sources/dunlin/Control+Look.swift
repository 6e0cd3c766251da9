import AdminAPI
import ArgumentParser
import Foundation

extension Control {
    struct Nodes: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the nodes of the flock with what they hold, and whether they are ready.",
            discussion: """
                What other nodes say of themselves is up to a second old. LAG is how many batches of the log a node has \
                still to read, and for how long the servers have owed it an answer.
                """)

        @OptionGroup var options: ControlOptions

        func run() async throws {
            try await options.run { client in
                let page = try await client.ask(.get, "/v1/nodes", for: ListPage<NodeRow>.self)
                let isFlock = page.items.contains { $0.state != nil }
                let lag = ("lag", { (row: NodeRow) in "\(row.lagBatches ?? 0)/\(row.lagMilliseconds ?? 0)ms" })
                try options.write(
                    page,
                    [
                        ("node", { $0.name }), ("version", { $0.version }), ("state", { $0.stateText }),
                        ("ready", { $0.isReady ? "yes" : "no: " + $0.reasons.joined(separator: "; ") }),
                        ("uptime", { "\($0.uptimeSeconds)s" }), ("connections", { "\($0.connections)" }),
                        ("clients", { "\($0.clients)" }), ("sessions", { "\($0.sessions)" }),
                        ("subscriptions", { "\($0.subscriptions)" }), ("retained", { "\($0.retainedMessages)" }),
                    ] + (isFlock ? [lag] : []) + [("listeners", { $0.listeners.joined(separator: ",") })])
            }
        }
    }

    struct Clients: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the clients that are connected.",
            discussion: "QUEUED messages wait to be sent to the client, INFLIGHT ones for its acknowledgement.")

        @OptionGroup var options: ControlOptions
        @OptionGroup var list: ListOptions

        func run() async throws {
            try await options.run { client in
                let page = try await list.rows(of: "/v1/clients", from: client, as: SessionRow.self)
                try options.write(
                    page,
                    [
                        ("client", { $0.clientIdentifier }), ("user", { $0.userName ?? "" }),
                        ("address", { $0.address ?? "" }),
                        ("version", { $0.version ?? "" }),
                        ("connected", { $0.connectedSeconds.map { "\($0)s" } ?? "" }),
                        ("subscriptions", { "\($0.subscriptions)" }), ("queued", { "\($0.queuedMessages)" }),
                        ("inflight", { "\($0.inflightMessages)" }),
                    ])
            }
        }
    }

    struct Sessions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the sessions, those whose client is away included.",
            discussion: "EXPIRES is how long a session outlives its connection.")

        @OptionGroup var options: ControlOptions
        @OptionGroup var list: ListOptions

        func run() async throws {
            try await options.run { client in
                let page = try await list.rows(of: "/v1/sessions", from: client, as: SessionRow.self)
                try options.write(
                    page,
                    [
                        ("client", { $0.clientIdentifier }), ("connected", { $0.isConnected ? "yes" : "no" }),
                        (
                            "expires",
                            { $0.sessionExpiryInterval == .max ? "never" : "\($0.sessionExpiryInterval)s" }
                        ),
                        ("subscriptions", { "\($0.subscriptions)" }), ("queued", { "\($0.queuedMessages)" }),
                        ("bytes", { "\($0.queuedBytes)" }), ("inflight", { "\($0.inflightMessages)" }),
                    ])
            }
        }
    }

    struct Subscriptions: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the subscriptions.", discussion: "--filter is matched with the topic filters.")

        @OptionGroup var options: ControlOptions
        @OptionGroup var list: ListOptions

        @Option(
            name: .long,
            help: ArgumentHelp("Only those of clients whose identifier matches.", valueName: "pattern"))
        var client: String?

        func run() async throws {
            try await options.run { administration in
                let page = try await list.rows(
                    of: "/v1/subscriptions", client.map { [("client", $0)] } ?? [], from: administration,
                    as: SubscriptionRow.self)
                try options.write(
                    page,
                    [
                        ("client", { $0.clientIdentifier }), ("qos", { "\($0.maximumQoS)" }),
                        ("filter", { $0.filter }),
                    ])
            }
        }
    }

    struct Retained: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the retained messages.", discussion: "--filter is matched with the topics.")

        @OptionGroup var options: ControlOptions
        @OptionGroup var list: ListOptions

        func run() async throws {
            try await options.run { client in
                let page = try await list.rows(of: "/v1/retained", from: client, as: RetainedRow.self)
                try options.write(
                    page,
                    [
                        ("qos", { "\($0.qos)" }), ("bytes", { "\($0.payloadBytes)" }),
                        ("expires", { $0.expirySeconds.map { "\($0)s" } ?? "never" }), ("topic", { $0.topic }),
                    ])
            }
        }
    }

    struct Bans: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the bans that hold.")

        @OptionGroup var options: ControlOptions

        func run() async throws {
            try await options.run { client in
                let page = try await client.ask(.get, "/v1/bans", for: ListPage<BanRow>.self)
                try options.write(
                    page,
                    [
                        ("kind", { $0.kind.rawValue }), ("value", { $0.value }),
                        ("left", { $0.seconds.map { "\($0)s" } ?? "for good" }), ("reason", { $0.reason ?? "" }),
                    ])
            }
        }
    }

    struct Metrics: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the metrics as /metrics has them.", discussion: "--json prints name and value.")

        @OptionGroup var options: ControlOptions

        @Option(name: .long, help: ArgumentHelp("Only names that begin so.", valueName: "prefix"))
        var prefix = ""

        func run() async throws {
            try await options.run { client in
                let answer = try await client.send(.get, "/metrics")
                guard answer.status == 200 else {
                    throw AdminFailure("the broker answered with status \(answer.status)")
                }
                let samples = String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
                    .filter { !$0.hasPrefix("#") && $0.hasPrefix(prefix) }
                if !options.json {
                    for sample in samples { StandardStreams.writeLine(String(sample)) }
                    return
                }
                var values: [String: Double] = [:]
                for sample in samples {
                    guard let space = sample.lastIndex(of: " ") else { continue }
                    let value = Double(sample[sample.index(after: space)...]) ?? 0
                    values[String(sample[..<space])] = value.isFinite ? value : 0
                }
                try options.writeJSON(values)
            }
        }
    }
}
