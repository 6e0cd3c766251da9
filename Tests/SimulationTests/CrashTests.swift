import SimulationKit
import Testing

/// Runs in which the broker's process ends without a word (P1, P3, P4, P5): what was acknowledged is still true after it.
@Suite struct CrashTests {
    @Test(arguments: Array(stride(from: UInt64(1), through: 60, by: 10)))
    func nothingAcknowledgedIsLost(firstSeed: UInt64) {
        for seed in firstSeed..<(firstSeed + 10) {
            let outcome = Run(seed: seed, swarm: .crashing(for: seed)).outcome()
            #expect(outcome.failures.isEmpty, "seed \(seed)")
        }
    }

    /// Each has found something, though what it means changes with the simulator.
    @Test(arguments: [UInt64(90), 336, 408, 687, 763, 1013, 1245, 1482, 1765, 1778, 3261, 3660, 4514, 9216, 70621])
    func aSeedThatHasFoundSomethingIsKept(seed: UInt64) {
        #expect(Run(seed: seed, swarm: .crashing(for: seed)).outcome().failures.isEmpty)
    }

    @Test func theSameSeedGivesTheSameCrashes() {
        let run = Run(seed: 7, swarm: .crashing(for: 7))
        #expect(run.outcome().hash == run.outcome().hash)
    }
}
