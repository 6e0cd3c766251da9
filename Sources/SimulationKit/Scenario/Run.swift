/// A run to be made: the same seed and swarm give the same outcome.
package struct Run: Sendable {
    package let seed: UInt64
    package var swarm: Swarm
    package var bug: PlantedBug?

    package init(seed: UInt64, swarm: Swarm? = nil, bug: PlantedBug? = nil) {
        self.seed = seed
        self.swarm = swarm ?? .drawn(for: seed)
        self.bug = bug
    }

    package func outcome() -> RunOutcome { run(log: nil) }

    /// The same with a line for each event; with `showsBytes` for each piece of bytes as well.
    package func traced(showsBytes: Bool = false) -> RunOutcome { run(log: EventLog(showsBytes: showsBytes)) }

    private func run(log: EventLog?) -> RunOutcome {
        let simulation = Simulation(seed: seed, swarm: swarm, bug: bug, log: log)
        simulation.run()
        return RunOutcome(
            seed: seed, swarm: swarm, failures: simulation.failures, eventCount: simulation.eventCount,
            hash: simulation.hash, log: log?.lines ?? [])
    }
}

/// What came of a run.
package struct RunOutcome: Sendable {
    package let seed: UInt64
    package let swarm: Swarm
    package let failures: [Failure]
    package let eventCount: Int
    package let hash: TraceHash
    package let log: [String]
}

extension Swarm {
    /// What the run with this seed is like.
    package static func drawn(for seed: UInt64) -> Swarm {
        var random = SplitMix64(seed: seed).split(0)
        return Swarm(using: &random)
    }

    /// The same, cut short: for many runs in a test.
    package static func brief(for seed: UInt64) -> Swarm {
        var swarm = drawn(for: seed)
        swarm.seconds = min(swarm.seconds, 3)
        swarm.honestClients = min(swarm.honestClients, 4)
        swarm.maximumPauseMilliseconds = max(swarm.maximumPauseMilliseconds, 60)
        swarm.maximumPiece = max(swarm.maximumPiece, 5)
        return swarm
    }

    /// A brief one with at least one crash of the broker.
    package static func crashing(for seed: UInt64) -> Swarm {
        var swarm = brief(for: seed)
        swarm.hasLastingEngine = true
        swarm.crashCount = max(1, swarm.crashCount)
        return swarm
    }

    /// A brief one of several nodes.
    package static func flock(for seed: UInt64) -> Swarm {
        var swarm = brief(for: seed)
        var random = SplitMix64(seed: seed).split(2)
        swarm.drawFlock(using: &random)
        return swarm
    }

    /// A run in which everything happens that a checker may have to notice.
    package static var eventful: Swarm {
        var swarm = Swarm()
        swarm.shardCount = 2
        swarm.honestClients = 5
        swarm.seconds = 3
        swarm.subscribeWeight = 20
        swarm.retainedPercent = 30
        swarm.willPercent = 60
        swarm.sharedPercent = 50
        swarm.maximumPauseMilliseconds = 40
        return swarm
    }
}
