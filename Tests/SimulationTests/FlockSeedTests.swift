import SimulationKit
import Testing

/// Runs of several nodes over one log, out of fixed seeds: the promises P1 to P5 in the whole flock.
/// `simulate --flock --seed N --trace` shows what happened in one that fails.
@Suite struct FlockSeedTests {
    @Test(arguments: Array(stride(from: UInt64(1), through: 200, by: 10)))
    func noCheckerObjects(firstSeed: UInt64) {
        for seed in firstSeed..<(firstSeed + 10) {
            let outcome = Run(seed: seed, swarm: .flock(for: seed)).outcome()
            #expect(outcome.failures.isEmpty, "seed \(seed)")
        }
    }

    /// A message in a batch that was stored late counted after its client had moved and sent it again (P3, P4).
    @Test(arguments: [UInt64(318), 403, 455, 1086, 1294])
    func seedsThatFailedOnce(seed: UInt64) {
        let outcome = Run(seed: seed, swarm: .flock(for: seed)).outcome()
        #expect(outcome.failures.isEmpty, "seed \(seed)")
    }

    @Test(arguments: [UInt64(3), 11, 42])
    func theSameSeedGivesTheSameRunToTheByte(seed: UInt64) {
        let run = Run(seed: seed, swarm: .flock(for: seed))
        let first = run.outcome()
        let second = run.outcome()
        #expect(first.hash == second.hash)
        #expect(first.eventCount == second.eventCount)
    }
}
