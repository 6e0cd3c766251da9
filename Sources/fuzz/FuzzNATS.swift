import ArgumentParser
import FuzzKit

/// The parser of what a NATS server sends, fed with changed streams.
struct FuzzNATS: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nats", abstract: "Feeds the NATS parser with changed streams.")

    @OptionGroup var options: FuzzOptions

    mutating func run() throws {
        var mutator = ByteMutator(seed: options.seed)
        var inputs = NATSParserCheck.seeds
        var outcomes: Set<NATSParserCheck.Outcome> = []
        for run in 0..<options.runs {
            let input =
                run < NATSParserCheck.seeds.count
                ? inputs[run]
                : mutator.mutate(
                    mutator.random.pick(inputs), with: mutator.random.pick(inputs), fitsLength: false)
            do {
                let outcome = try NATSParserCheck.run(input)
                if outcomes.insert(outcome).inserted, inputs.count < 5000 { inputs.append(input) }
            } catch {
                let path = try InputFiles.write(
                    input, directory: options.failures, name: "nats-\(options.seed)-\(run).bin")
                print("run \(run): \(error)\nkept as \(path)")
                throw ExitCode.failure
            }
        }
        print("\(options.runs) inputs, seed \(options.seed): \(outcomes.count) outcomes, no failure")
    }
}
