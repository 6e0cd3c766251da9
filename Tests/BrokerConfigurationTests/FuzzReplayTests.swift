import Foundation
import FuzzKit
import Testing

/// What the fuzzer starts from, what failed once, and a short run.
@Suite("Fuzzing of the configuration")
struct FuzzReplayTests {
    @Test func corpusAndFailuresPass() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fuzzing/Failures")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        let failures = try names.filter { $0.hasPrefix("configuration-") }.sorted().map {
            Array(try Data(contentsOf: root.appending(path: $0)))
        }
        let check = ConfigurationCheck()
        defer { check.end() }
        for input in ConfigurationCheck.corpus + failures { _ = try await check.run(input) }
    }

    @Test func changedTextsPass() async throws {
        let check = ConfigurationCheck()
        defer { check.end() }
        var mutator = ByteMutator(seed: 1)
        for _ in 0..<300 {
            let input = mutator.random.pick(ConfigurationCheck.corpus)
            let other = mutator.random.pick(ConfigurationCheck.corpus)
            _ = try await check.run(mutator.mutate(input, with: other, fitsLength: false))
        }
    }
}
