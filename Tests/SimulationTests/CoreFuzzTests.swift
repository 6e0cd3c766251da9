import Foundation
import SimulationKit
import Testing

/// The core under packets in any order; `fuzz core` does the same for longer.
@Suite struct CoreFuzzTests {
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func noScriptBreaksAnInvariant(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for run in 0..<150 {
            var script = CoreScript(using: &random)
            if random.chance(30) { script.mutate(using: &random) }
            #expect(CoreFuzz.run(script).isEmpty, "seed \(seed), run \(run)")
        }
    }

    /// What failed once, and the scripts that runs of the fuzzer start from.
    @Test(arguments: ["Corpus/core", "Failures"])
    func keptScriptsPass(directory: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzzing/" + directory)
        let files = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        for file in files.sorted() where file.hasSuffix(".bin") && (directory != "Failures" || file.hasPrefix("core-"))
        {
            let bytes = try Array(Data(contentsOf: root.appendingPathComponent(file)))
            #expect(CoreFuzz.run(CoreScript(bytes: bytes)).isEmpty, "\(file)")
        }
    }

    @Test func anyBytesAreAScript() {
        var random = SplitMix64(seed: 9)
        for _ in 0..<300 {
            let bytes = (0..<random.integer(in: 0...80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            #expect(CoreFuzz.run(CoreScript(bytes: bytes)).isEmpty)
        }
    }
}
