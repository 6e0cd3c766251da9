import ArgumentParser
import BackboneSQLite
import Foundation

/// `dunlin inspect`: what a data directory holds, read beside a broker or without one.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List what a data directory holds and check its integrity.",
        discussion: """
            Lists the sessions with how many messages wait for each, the retained topics, and the shared subscriptions \
            that messages wait for; then reads all of the file and checks it. Changes nothing, and may be used while a \
            broker works on the directory: what it shows is one moment, and no message waits for it.

            QUEUED counts the messages of the log that a session still wants. While a broker runs it notes only every half \
            second what its clients have acknowledged, so this may count what they have just had. UNFINISHED are QoS 2 \
            messages between PUBLISH and PUBCOMP, those to the client and those from it. EXPIRES is in seconds from now; \
            for a client that is connected, from the end of its connection.

            Exit codes: 0 the store is sound; 1 it is not, or cannot be read; 64 bad command line.
            """)

    @Argument(help: "The data directory.", completion: .directory)
    var directory: String

    @Flag(help: "Only the totals and the integrity check.")
    var summary = false

    func run() throws {
        do throws(BackboneError) {
            let inspection = try StoreInspection(directory: directory)
            var contents = StoreContents()
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            try inspection.read(
                at: now, session: { contents.add($0, isConnected: $1) }, retained: { contents.add(retained: $0) },
                entry: { contents.add($0, waiting: $1) })
            StandardStreams.writeLine("store: \(inspection.path), schema \(try inspection.schemaVersion())")
            for line in contents.totals { StandardStreams.writeLine(line) }
            if !summary {
                for line in contents.lines { StandardStreams.writeLine(line) }
            }
            let problems = try inspection.problems()
            StandardStreams.writeLine("integrity: \(problems.isEmpty ? "ok" : "damaged")")
            if problems.isEmpty { return }
            for problem in problems { StandardStreams.writeErrorLine(problem) }
        } catch {
            StandardStreams.writeErrorLine("\(error)")
        }
        throw BrokerExitCode.failure
    }
}
