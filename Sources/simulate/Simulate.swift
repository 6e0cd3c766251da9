import ArgumentParser
import Foundation
import SimulationKit

/// Runs a node with its clients in virtual time, and says by the exit code what was found.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Try a simulated Dunlin node with honest and hostile clients over a virtual network.",
        discussion: """
            Without --seed a random one is taken and printed first. The same seed gives the same run to the byte.

            Exit codes: 0 fine; 127 crash, an invariant of the core did not hold, in the run after the last one printed; \
            128 liveness, something did not end in bounded time; 129 correctness, a checker objects.
            """)

    @Option(help: "Seed of the first run; the others follow it.") var seed: UInt64?
    @Option(help: "How many runs.") var runs: UInt64 = 1
    @Option(help: "Honest clients in place of what the seed draws.") var clients: Int?
    @Option(help: "Hostile clients, likewise.") var hostile: Int?
    @Option(help: "Shards, likewise.") var shards: Int?
    @Option(help: "Virtual seconds before faults heal, likewise.") var seconds: Int?
    @Option(help: "Crashes of the broker, likewise.") var crashes: Int?
    @Flag(help: "Brief runs, each with a crash.") var crashing = false
    @Flag(help: "Brief runs of several nodes that share a log.") var flock = false
    @Option(help: "With --flock: nodes, likewise.") var nodes: Int?
    @Flag(help: "With --flock: nothing goes wrong between the nodes.") var calm = false
    @Flag(help: "Print every event.") var trace = false
    @Flag(help: "With --trace: every piece of bytes as well.") var bytes = false
    @Option(help: "Events to print of a run that failed.") var lines = 60

    func validate() throws {
        guard runs >= 1, clients ?? 1 >= 1, hostile ?? 0 >= 0, (1...64).contains(shards ?? 1), seconds ?? 0 >= 0,
            lines >= 0
        else { throw ValidationError("a number is out of range: at least one run and one client, 1 to 64 shards") }
    }

    func run() throws {
        // A failed precondition stops the process with one of these.
        for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV] { signal(number) { _ in _exit(127) } }
        let first = seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        say(runs == 1 ? "seed \(first)" : "seeds \(first) to \(first + runs - 1)")
        let clock = ContinuousClock()
        let start = clock.now
        var events = 0
        for seed in first..<(first + runs) {
            let outcome = simulate(seed)
            events += outcome.eventCount
            if trace { outcome.log.forEach(say) }
            if let failure = outcome.failures.first {
                report(outcome)
                throw ExitCode(failure.rule.isLiveness ? 128 : 129)
            }
            say("seed \(seed): \(outcome.eventCount) events, trace \(outcome.hash.value)")
        }
        let seconds = (clock.now - start) / .seconds(1)
        say("\(runs) runs, \(events) events, \(Int(Double(events) / max(seconds, 0.001))) events/s, no failure")
    }

    private func simulate(_ seed: UInt64) -> RunOutcome {
        let run = Run(seed: seed, swarm: swarm(of: seed))
        return trace ? run.traced(showsBytes: bytes) : run.outcome()
    }

    private func swarm(of seed: UInt64) -> Swarm {
        var swarm =
            flock ? Swarm.flock(for: seed) : crashing ? Swarm.crashing(for: seed) : Swarm.drawn(for: seed)
        if flock, let nodes { swarm.nodeCount = nodes }
        if calm { swarm.calm() }
        if let crashes {
            swarm.crashCount = crashes
            if crashes > 0 { swarm.hasLastingEngine = true }
        }
        if let clients { swarm.honestClients = clients }
        if let hostile { swarm.hostileClients = hostile }
        if let shards { swarm.shardCount = shards }
        if let seconds { swarm.seconds = seconds }
        return swarm
    }

    /// The seed, the rules that were broken, and the last events, for which the run is made once more.
    private func report(_ outcome: RunOutcome) {
        if !trace { Run(seed: outcome.seed, swarm: outcome.swarm).traced().log.suffix(lines).forEach(say) }
        say("seed \(outcome.seed): FAILED after \(outcome.eventCount) events")
        for failure in outcome.failures { say("  \(failure)") }
        say("again: simulate\(flock ? " --flock" : crashing ? " --crashing" : "") --seed \(outcome.seed) --trace")
    }

    /// Written at once and not when a buffer is full: the last line has to be there after a crash.
    private func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}
