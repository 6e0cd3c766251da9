import SimulationKit
import Testing

/// Runs out of fixed seeds: the promises P2 to P5, P7 and P8 of the design within one node. `simulate --seed N --trace`
/// shows what happened in one that fails.
@Suite struct SeedTests {
    static let seedsPerBatch: UInt64 = 20

    @Test(arguments: Array(stride(from: UInt64(1), through: 200, by: 20)))
    func noCheckerObjects(firstSeed: UInt64) {
        for seed in firstSeed..<(firstSeed + Self.seedsPerBatch) {
            let outcome = Run(seed: seed, swarm: .brief(for: seed)).outcome()
            #expect(outcome.failures.isEmpty, "seed \(seed)")
        }
    }

    @Test(arguments: [UInt64(3), 11, 42, 77, 123])
    func theSameSeedGivesTheSameRunToTheByte(seed: UInt64) {
        let first = Run(seed: seed, swarm: .brief(for: seed)).outcome()
        let second = Run(seed: seed, swarm: .brief(for: seed)).outcome()
        #expect(first.hash == second.hash)
        #expect(first.eventCount == second.eventCount)
        #expect(Run(seed: seed + 1, swarm: .brief(for: seed)).outcome().hash != first.hash)
    }

    @Test func aTraceChangesNothing() {
        let run = Run(seed: 5, swarm: .brief(for: 5))
        let traced = run.traced()
        #expect(traced.hash == run.outcome().hash)
        #expect(!traced.log.isEmpty)
    }

    @Test func mostRunsHaveSeveralShards() {
        #expect((1...200).count { Swarm.brief(for: UInt64($0)).shardCount > 1 } > 120)
    }
}
