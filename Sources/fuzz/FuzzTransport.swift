import ArgumentParser
import Foundation
import FuzzKit

/// PROXY protocol, WebSocket's request and WebSocket's frames, fed with changed bytes.
struct FuzzTransport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transport", abstract: "Feeds what comes before MQTT with changed bytes.")

    @OptionGroup var options: FuzzOptions
    @Option(help: ArgumentHelp("Judges one file and says what was wrong.", valueName: "file")) var replay: String?

    mutating func run() throws {
        var outcomes: Set<String> = []
        if let replay {
            let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: replay)))
            return _ = try check(bytes, run: "replay", &outcomes)
        }
        var inputs = TransportCorpus.inputs
        for (index, input) in inputs.enumerated() { _ = try check(input, run: "corpus-\(index)", &outcomes) }
        var mutator = ByteMutator(seed: options.seed)
        for run in 0..<options.runs {
            let input = mutator.random.pick(inputs)
            let changed = mutator.mutate(Array(input.dropFirst()), with: mutator.random.pick(inputs))
            if try check([input.first ?? 0] + changed, run: "\(run)", &outcomes), inputs.count < 2000 {
                inputs.append([input.first ?? 0] + changed)
            }
        }
        print("\(options.runs) inputs, seed \(options.seed): \(outcomes.count) outcomes, no failure")
    }

    /// Whether the outcome is new.
    private func check(_ input: [UInt8], run: String, _ outcomes: inout Set<String>) throws -> Bool {
        do {
            return outcomes.insert("\(input.first ?? 0) \(try TransportCheck.run(input))").inserted
        } catch {
            let path = try InputFiles.write(
                input, directory: options.failures, name: "transport-\(options.seed)-\(run).bin")
            print("run \(run): \(error)\nkept as \(path)")
            throw ExitCode.failure
        }
    }
}
