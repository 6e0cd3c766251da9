import ArgumentParser
import FuzzKit

/// The packet decoder, fed with changed packets.
///
/// Inputs that end in a way not seen before join the corpus of the run, so that changes build on changes; what counts as
/// a way is the packets before the end and the words of the violation, which needs no special build.
struct FuzzDecoder: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decoder", abstract: "Feeds the packet decoder with changed packets.")

    @OptionGroup var options: FuzzOptions
    @Option(help: ArgumentHelp("The inputs to start from.", valueName: "dir")) var corpus = "Fuzzing/Corpus/decoder"
    @Flag(help: "Writes generated packets into the corpus instead of a run.") var generateCorpus = false

    mutating func run() throws {
        if generateCorpus { return try writeCorpus() }
        let files = try InputFiles.read(directory: corpus)
        var inputs = files.map { DecoderInput(file: $0.bytes) }
        guard !inputs.isEmpty else { throw ValidationError("no *.bin in \(corpus)") }
        var mutator = ByteMutator(seed: options.seed)
        var outcomes: Set<DecoderCheck.Outcome> = []
        for (input, file) in zip(inputs, files) { try check(input, run: file.name, outcomes: &outcomes) }
        for run in 0..<options.runs {
            var input = mutator.random.pick(inputs)
            input.stream = mutator.mutate(input.stream, with: mutator.random.pick(inputs).stream)
            if mutator.random.once(in: 16) {
                input = DecoderInput(file: [UInt8(mutator.random.below(8))] + input.stream)
            }
            if try check(input, run: "\(run)", outcomes: &outcomes) { inputs.append(input) }
        }
        print("\(options.runs) inputs, seed \(options.seed): \(outcomes.count) outcomes, no failure")
    }

    /// Whether the outcome is new.
    @discardableResult
    private func check(
        _ input: DecoderInput, run: String, outcomes: inout Set<DecoderCheck.Outcome>
    ) throws -> Bool {
        do {
            return outcomes.insert(try DecoderCheck.run(input)).inserted
        } catch {
            let path = try InputFiles.write(
                input.file, directory: options.failures, name: "decoder-\(options.seed)-\(run).bin")
            print("run \(run): \(error)\nkept as \(path)")
            throw ExitCode.failure
        }
    }

    private func writeCorpus() throws {
        for input in DecoderCorpus.inputs() {
            _ = try InputFiles.write(input.input.file, directory: corpus, name: input.name + ".bin")
        }
    }
}
