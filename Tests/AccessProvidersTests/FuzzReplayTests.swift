import Foundation
import FuzzKit
import Testing

/// What the fuzzer starts from, what failed once, and a short run.
@Suite("Fuzzing of access")
struct FuzzReplayTests {
    @Test func corpusAndFailuresPass() async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fuzzing/Failures")
        let check = try await AccessCheck()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        let failures = try names.filter { $0.hasPrefix("access-") }.sorted().map {
            Array(try Data(contentsOf: root.appending(path: $0)))
        }
        for input in AccessCheck.corpus + failures { _ = try await check.run(input) }
    }

    @Test func changedTextsPass() async throws {
        let check = try await AccessCheck()
        var mutator = ByteMutator(seed: 1)
        for _ in 0..<2000 {
            let input = mutator.random.pick(AccessCheck.corpus)
            let other = mutator.random.pick(AccessCheck.corpus)
            _ = try await check.run([input[0]] + mutator.mutate(Array(input.dropFirst()), with: other))
        }
    }
}
