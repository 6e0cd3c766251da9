import ArgumentParser
import FuzzKit

/// The bridge's machine, between two brokers that do what they want.
struct FuzzBridge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bridge", abstract: "Feeds a bridge with packets of two brokers in any order.")

    @OptionGroup var options: FuzzOptions

    mutating func run() throws {
        var mutator = ByteMutator(seed: options.seed)
        var scripts: [[UInt8]] = [[]]
        var outcomes: Set<Set<String>> = []
        for run in 0..<options.runs {
            let script =
                mutator.random.once(in: 3)
                ? BridgeCheck.script(using: &mutator.random)
                : mutator.mutate(
                    mutator.random.pick(scripts), with: mutator.random.pick(scripts), fitsLength: false)
            do {
                let outcome = try BridgeCheck.run(script)
                if outcomes.insert(outcome).inserted || mutator.random.once(in: 50), scripts.count < 2_000 {
                    scripts.append(script)
                }
            } catch {
                let path = try InputFiles.write(
                    script, directory: options.failures, name: "bridge-\(options.seed)-\(run).bin")
                print("run \(run): \(error)\nkept as \(path)")
                throw ExitCode.failure
            }
        }
        print("\(options.runs) scripts, seed \(options.seed): \(outcomes.count) outcomes, no failure")
    }
}
