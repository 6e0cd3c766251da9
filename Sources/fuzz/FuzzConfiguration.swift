import ArgumentParser
import FuzzKit

/// What reads a configuration file.
struct FuzzConfiguration: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "configuration", abstract: "Feeds the reader of configuration files.")

    @OptionGroup var options: FuzzOptions

    mutating func run() async throws {
        let check = ConfigurationCheck()
        defer { check.end() }
        var inputs = ConfigurationCheck.corpus
        var mutator = ByteMutator(seed: options.seed)
        var outcomes: Set<String> = []
        for run in 0..<options.runs {
            let input = mutator.mutate(
                mutator.random.pick(inputs), with: mutator.random.pick(inputs), fitsLength: false)
            do {
                if outcomes.insert(try await check.run(input)).inserted { inputs.append(input) }
            } catch {
                let path = try InputFiles.write(
                    input, directory: options.failures, name: "configuration-\(options.seed)-\(run).bin")
                print("run \(run): \(error)\nkept as \(path)")
                throw ExitCode.failure
            }
        }
        print("\(options.runs) inputs, seed \(options.seed): \(outcomes.count) outcomes, no failure")
    }
}
