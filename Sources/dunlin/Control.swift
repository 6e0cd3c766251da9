import AdminAPI
import ArgumentParser
import BrokerConfiguration
import Foundation

/// `dunlin ctl`: what an operator sees of a running broker and does with it.
struct Control: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ctl",
        abstract: "Look at a running broker and give it orders.",
        discussion: """
            Talks to the broker's administration: over the Unix socket in its data directory (--data DIR), or over another \
            address (--admin), which the environment variable DUNLIN_ADMIN may name. Over TCP it shows the token in the \
            file --token-file or DUNLIN_ADMIN_TOKEN_FILE.

            Exit codes: 0 done; 1 refused, or no broker answers; 64 bad command line.
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Look",
                subcommands: [
                    Nodes.self, Clients.self, Sessions.self, Subscriptions.self, Retained.self, Bans.self,
                    Metrics.self,
                ]),
            CommandGroup(
                name: "Orders",
                subcommands: [Kick.self, Ban.self, Unban.self, Drain.self, Reload.self, ControlLogLevel.self]),
        ])
}

/// Which broker, and how it is answered.
struct ControlOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("The broker's administration: host:port or unix:path.", valueName: "address"))
    var admin: String?

    @Option(
        name: .long, help: ArgumentHelp("The broker's data directory, for its Unix socket.", valueName: "dir"),
        completion: .directory)
    var data: String?

    @Option(
        name: .long, help: ArgumentHelp("File with the token for administration over TCP.", valueName: "file"),
        completion: .file())
    var tokenFile: String?

    @Flag(name: .long, help: "Print JSON instead of a table.")
    var json = false

    /// The client for the broker that is meant.
    func client() throws -> AdminClient {
        let environment = ProcessInfo.processInfo.environment
        let address: AdminAddress
        if let text = admin ?? (data == nil ? environment["DUNLIN_ADMIN"] : nil) {
            do throws(AdminAddress.Malformed) {
                address = try AdminAddress(parsing: text)
            } catch {
                throw ValidationError(error.description)
            }
        } else if let data {
            address = .unix(path: BrokerSettings.adminSocket(inDirectory: data))
        } else {
            throw ValidationError("which broker? say --data DIR or --admin ADDRESS, or set DUNLIN_ADMIN")
        }
        guard let file = tokenFile ?? environment["DUNLIN_ADMIN_TOKEN_FILE"], case .network = address else {
            return AdminClient(address)
        }
        return AdminClient(address, token: try AdminToken(contentsOfFile: file))
    }

    /// Does what was ordered; what the broker says against it goes to standard error.
    func run(_ body: (AdminClient) async throws -> Void) async throws {
        do {
            try await body(try client())
        } catch let failure as AdminFailure {
            StandardStreams.writeErrorLine("Error: \(failure)")
            throw BrokerExitCode.failure
        }
    }

    func writeJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        StandardStreams.writeLine(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// What became of an order.
    func write(_ outcome: Outcome) throws {
        if json { try writeJSON(outcome) } else { StandardStreams.writeLine(outcome.message) }
    }

    /// A list, as JSON or as a table; where it goes on is said on standard error.
    func write<Row>(
        _ page: ListPage<Row>, _ columns: [(name: String, text: (Row) -> String)]
    ) throws {
        if json { return try writeJSON(page) }
        let lines = TextTable.lines(columns.map(\.name), page.items.map { row in columns.map { $0.text(row) } })
        for line in lines { StandardStreams.writeLine(line) }
        if let next = page.next { StandardStreams.writeErrorLine("There may be more: --after \(next)") }
    }
}

/// How much of a list.
struct ListOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Only rows whose name matches; * stands for anything.", valueName: "pattern"))
    var filter: String?

    @Option(name: .long, help: ArgumentHelp("Rows to show.", valueName: "n"))
    var limit = 100

    @Option(name: .long, help: ArgumentHelp("Go on where an earlier list ended.", valueName: "place"))
    var after: String?

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit has to be at least 1.") }
    }

    /// Asks for as many pages as it takes.
    func rows<Row: Codable & Sendable>(
        of path: String, _ more: [(name: String, value: String)] = [], from client: AdminClient, as type: Row.Type
    ) async throws -> ListPage<Row> {
        var page = ListPage(items: [Row](), next: after)
        repeat {
            var query = more
            query.append(("limit", "\(min(limit - page.items.count, 1000))"))
            if let filter { query.append(("filter", filter)) }
            if let next = page.next { query.append(("after", next)) }
            let part = try await client.ask(.get, AdminTarget.make(path, query), for: ListPage<Row>.self)
            page.items += part.items
            page.next = part.next
        } while page.next != nil && page.items.count < limit
        return page
    }
}

/// Paths with queries.
enum AdminTarget {
    static func make(_ path: String, _ query: [(name: String, value: String)]) -> String {
        if query.isEmpty { return path }
        return path + "?" + query.map { "\($0.name)=\(encoded($0.value))" }.joined(separator: "&")
    }

    /// Everything but what RFC 3986 calls unreserved is encoded.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}
