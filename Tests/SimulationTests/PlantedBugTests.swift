import SimulationKit
import Testing

/// A checker that has never failed is worth nothing: each is shown a broker with the bug that it is there for.
@Suite struct PlantedBugTests {
    @Test(arguments: PlantedBug.allCases)
    func isFound(bug: PlantedBug) {
        let found = (1...30).contains { seed in
            let outcome = Run(seed: UInt64(seed), swarm: bug.swarm, bug: bug).outcome()
            return outcome.failures.contains { bug.rules.contains($0.rule) }
        }
        #expect(found, "nothing noticed \(bug)")
    }

    @Test func withoutABugTheSameRunsAreFine() {
        for seed in UInt64(1)...3 {
            #expect(Run(seed: seed, swarm: .eventful).outcome().failures.isEmpty, "seed \(seed)")
        }
    }
}
