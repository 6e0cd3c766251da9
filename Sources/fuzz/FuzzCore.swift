import ArgumentParser
import Foundation
import SimulationKit

/// The broker core, fed with packets of several connections in any order, correct and spoiled ones.
struct FuzzCore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "core", abstract: "Feeds a simulated node with packets in any order.",
        discussion: """
            The script that runs is written to core-running.bin in the directory for failures and removed at the end: if \
            the process dies, that is what it died of. --replay runs one file.
            """)

    @OptionGroup var options: FuzzOptions
    @Option(help: ArgumentHelp("Scripts to start from.", valueName: "dir")) var corpus = "Fuzzing/Corpus/core"
    @Option(help: ArgumentHelp("Runs one script and says what was wrong.", valueName: "file")) var replay: String?
    @Option(help: ArgumentHelp("Writes so many scripts into the corpus instead of a run.", valueName: "count"))
    var generateCorpus = 0

    mutating func run() throws {
        if let replay {
            return try check(CoreScript(bytes: Array(Data(contentsOf: URL(fileURLWithPath: replay)))), name: replay)
        }
        var random = SplitMix64(seed: options.seed)
        if generateCorpus > 0 { return try writeCorpus(using: &random) }
        var scripts = try InputFiles.read(directory: corpus).map { CoreScript(bytes: $0.bytes) }
        for (index, script) in scripts.enumerated() { try check(script, name: "corpus-\(index)") }
        for run in 0..<options.runs {
            var script = CoreScript(using: &random)
            if !scripts.isEmpty, random.chance(30) {
                script = random.pick(scripts)
                script.mutate(using: &random)
            }
            try check(script, name: "core-\(options.seed)-\(run).bin")
            if scripts.count < 200 { scripts.append(script) }
        }
        print("\(options.runs) scripts, seed \(options.seed): no failure")
        try FileManager.default.removeItem(atPath: options.failures + "/core-running.bin")
    }

    private func check(_ script: CoreScript, name: String) throws {
        _ = try InputFiles.write(script.bytes, directory: options.failures, name: "core-running.bin")
        let faults = CoreFuzz.run(script)
        guard let fault = faults.first else { return }
        let path = replay ?? options.failures + "/" + name
        if replay == nil { _ = try InputFiles.write(script.bytes, directory: options.failures, name: name) }
        print("\(fault)\nkept as \(path)")
        throw ExitCode.failure
    }

    private func writeCorpus(using random: inout SplitMix64) throws {
        for index in 0..<generateCorpus {
            _ = try InputFiles.write(
                CoreScript(using: &random).bytes, directory: corpus, name: "generated-\(index).bin")
        }
    }
}
