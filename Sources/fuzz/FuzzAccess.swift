import ArgumentParser
import FuzzKit

/// Everything that reads texts about access: rules, password files, tokens, SCRAM's messages.
struct FuzzAccess: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access", abstract: "Feeds the readers of rules, password files, tokens and SCRAM.")

    @OptionGroup var options: FuzzOptions

    mutating func run() async throws {
        let check = try await AccessCheck()
        var inputs = AccessCheck.corpus
        var mutator = ByteMutator(seed: options.seed)
        var outcomes: Set<AccessCheck.Outcome> = []
        for run in 0..<options.runs {
            let input = mutator.random.pick(inputs)
            // The first byte says who reads, and stays.
            let other = mutator.random.pick(inputs)
            let changed = [input.first ?? 0] + mutator.mutate(Array(input.dropFirst()), with: Array(other.dropFirst()))
            do {
                if outcomes.insert(try await check.run(changed)).inserted { inputs.append(changed) }
            } catch {
                let path = try InputFiles.write(
                    changed, directory: options.failures, name: "access-\(options.seed)-\(run).bin")
                print("run \(run): \(error)\nkept as \(path)")
                throw ExitCode.failure
            }
        }
        print("\(options.runs) inputs, seed \(options.seed): \(outcomes.count) outcomes, no failure")
    }
}
