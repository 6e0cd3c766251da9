import ArgumentParser
import SimulationKit

/// Runs a node with its clients in virtual time, and says by the exit code what was found: 0 nothing, 128 something did
/// not end in bounded time, 129 something was wrong. An invariant of the core that does not hold stops the process; the
/// shell reports that as 132, 133 or 134 after the last line named the seed, and `make` and CI take it for 127.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Try a simulated Dunlin node with honest and hostile clients over a virtual network.",
        discussion: """
            Without --seed a random one is taken and printed first. The same seed gives the same run to the byte.
            Exit codes: 0 fine, 127 and above 129 crash, 128 liveness, 129 correctness.
            """)

    @Option(help: "Seed of the first run; the others follow it.") var seed: UInt64?
    @Option(help: "How many runs.") var runs: UInt64 = 1
    @Option(help: "Honest clients in place of what the seed draws.") var clients: Int?
    @Option(help: "Hostile clients, likewise.") var hostile: Int?
    @Option(help: "Shards, likewise.") var shards: Int?
    @Option(help: "Virtual seconds before faults heal, likewise.") var seconds: Int?
    @Flag(help: "Print every event.") var trace = false
    @Option(help: "Events to print of a run that failed.") var lines = 60

    func run() throws {
        let first = seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        if seed == nil || runs > 1 { print("seeds \(first) to \(first + runs - 1)") }
        let clock = ContinuousClock()
        let start = clock.now
        var events = 0
        for seed in first..<(first + runs) {
            let outcome = simulate(seed)
            events += outcome.eventCount
            if let failure = outcome.failures.first {
                report(outcome)
                throw ExitCode(failure.rule.isLiveness ? 128 : 129)
            }
            if runs == 1 { print("seed \(seed): \(outcome.eventCount) events, trace \(outcome.hash.value)") }
        }
        let seconds = (clock.now - start) / .seconds(1)
        print("\(runs) runs, \(events) events, \(Int(Double(events) / max(seconds, 0.001))) events/s, no failure")
    }

    private func simulate(_ seed: UInt64) -> RunOutcome {
        if trace { return Run(seed: seed, swarm: swarm(of: seed)).traced() }
        return Run(seed: seed, swarm: swarm(of: seed)).outcome()
    }

    private func swarm(of seed: UInt64) -> Swarm {
        var swarm = Swarm.drawn(for: seed)
        if let clients { swarm.honestClients = clients }
        if let hostile { swarm.hostileClients = hostile }
        if let shards { swarm.shardCount = shards }
        if let seconds { swarm.seconds = seconds }
        return swarm
    }

    /// The seed, the rules that were broken, and the last events.
    private func report(_ outcome: RunOutcome) {
        print("seed \(outcome.seed): FAILED after \(outcome.eventCount) events")
        for failure in outcome.failures { print("  \(failure)") }
        let log = outcome.log.isEmpty ? Run(seed: outcome.seed, swarm: outcome.swarm).traced().log : outcome.log
        for line in trace ? log[...] : log.suffix(lines) { print(line) }
        print("again: simulate --seed \(outcome.seed) --trace")
    }
}
