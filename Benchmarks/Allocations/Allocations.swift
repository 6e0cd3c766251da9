import ArgumentParser
import Foundation

/// Counts how often the broker asks for memory for a message, from the bytes of a PUBLISH on a socket to the bytes for
/// its subscribers: transport, codec, core, all of it. The counts do not depend on the machine, so a test can hold them.
@main
struct Allocations: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allocations", abstract: "Count the broker's allocations per delivered message.")

    @Option(help: "Compare with the bounds in this file; end with 1 when a count is over its bound.")
    var check: String?

    @Option(help: "Write the counts into this file, as the new bounds.")
    var update: String?

    /// What a count may be over its bound: timers and the like fall into one run or another.
    private static let tolerance = 0.03

    func run() async throws {
        var counts: [String: Double] = [:]
        for scenario in Scenario.all {
            let count = try await scenario.allocationsPerDelivery()
            counts[scenario.name] = (count * 1000).rounded() / 1000
        }
        let bounds = try check.map(Self.read) ?? [:]
        var isOver = false
        for scenario in Scenario.all {
            let count = counts[scenario.name] ?? 0
            var line = scenario.name.padding(toLength: 16, withPad: " ", startingAt: 0)
            line += String(format: "%8.3f allocations per delivery", count)
            if check != nil {
                let bound = bounds[scenario.name]
                line += bound.map { String(format: ", bound %.3f", $0) } ?? ", no bound"
                if count > (bound ?? -1) + Self.tolerance {
                    line += ": TOO MANY"
                    isOver = true
                }
            }
            print(line)
        }
        if let update {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try (encoder.encode(counts) + Data("\n".utf8)).write(to: URL(filePath: update))
        }
        if isOver {
            print(
                """
                The path of a message allocates more than before. Find out where (docs/performance.md says how); if it \
                has to be, `make bench-allocations-update` writes new bounds.
                """)
            throw ExitCode(1)
        }
    }

    private static func read(_ path: String) throws -> [String: Double] {
        try JSONDecoder().decode([String: Double].self, from: try Data(contentsOf: URL(filePath: path)))
    }
}
