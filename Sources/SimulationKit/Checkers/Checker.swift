package import MQTTModel

/// A small reference model of one promise, fed with what happens.
package protocol Checker {
    /// Something happened at `now`; what is wrong goes to `verdict`.
    mutating func observe(_ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict)
    /// The run has ended: faults have healed and everything has arrived that will.
    mutating func finish(at now: Instant, history: History, verdict: inout Verdict)
}

extension Checker {
    package mutating func finish(at now: Instant, history: History, verdict: inout Verdict) {}
}

/// What a run broke. Only the first failures are kept: the rest mostly follow from them.
package struct Verdict: Sendable {
    package static let maximumFailures = 20
    package private(set) var failures: [Failure] = []

    package init() {}

    package mutating func fail(_ rule: Rule, _ detail: String, at now: Instant) {
        guard failures.count < Verdict.maximumFailures else { return }
        failures.append(Failure(rule: rule, detail: detail, at: now))
    }
}

/// All checkers of a run.
package struct Referee {
    private var checkers: [any Checker]
    package var verdict = Verdict()

    package init(swarm: Swarm, profiles: [ClientProfile]) {
        checkers = [
            WindowChecker(profiles: profiles), PacketSizeChecker(profiles: profiles),
            TopicAliasChecker(profiles: profiles), DuplicateFlagChecker(swarm: swarm), OrderChecker(swarm: swarm),
            DeliveryChecker(profiles: profiles), ContentChecker(swarm: swarm, profiles: profiles),
            SessionChecker(swarm: swarm),
            ClosureChecker(swarm: swarm), RetainedChecker(swarm: swarm, profiles: profiles),
            WillChecker(swarm: swarm, profiles: profiles),
            SharedSubscriptionChecker(swarm: swarm, profiles: profiles), QueueChecker(swarm: swarm),
        ]
    }

    package mutating func observe(_ occurrence: Occurrence, at now: Instant, history: History) {
        for index in checkers.indices {
            checkers[index].observe(occurrence, at: now, history: history, verdict: &verdict)
        }
    }

    package mutating func finish(at now: Instant, history: History) {
        for index in checkers.indices { checkers[index].finish(at: now, history: history, verdict: &verdict) }
    }
}
