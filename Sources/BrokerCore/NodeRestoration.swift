package import Backbone
package import MQTTModel

/// One shard as its driver holds it: the core, and the effects that taking up its state asks for.
package protocol RestorableShard: AnyObject {
    func withCore<Result>(_ body: (inout BrokerCore, inout Effects) -> Result) -> Result
}

/// Hands what survived a restart to all shards of a node. The driver calls it before the first step of any of them: every
/// session, every retained message, every entry of the log in order, then `finish`; then it runs the effects.
package struct NodeRestoration {
    /// By index. No type parameter: this runs for every message of the log, and would not be specialized for a shard of
    /// another module.
    private let shards: [any RestorableShard]
    private let now: Instant
    private var unclaimed: [(group: SharedGroup, sequence: LogSequence)] = []

    package init(_ shards: [any RestorableShard], at now: Instant) {
        self.shards = shards
        self.now = now
    }

    package func restore(_ session: RestoredSession) {
        let home = HomeShard.index(of: session.clientIdentifier, shardCount: UInt16(shards.count))
        shards[Int(home)].withCore { $0.restore(session, at: now, into: &$1) }
    }

    package func restore(retained message: ApplicationMessage, position: RetainedPosition) {
        startClock(of: message)
        for shard in shards { shard.withCore { core, _ in core.restore(retained: message, position: position) } }
    }

    /// Hands an entry of the log to every shard. A group's message goes to the shard with the session that was in the
    /// middle of it, or it would be delivered twice; else to the first that can keep it.
    package mutating func restore(_ entry: LogEntry, groups: [SharedGroup]) {
        startClock(of: entry.message)
        if groups.isEmpty {
            for shard in shards { shard.withCore { _ = $0.restore(entry, groups: [], at: now, into: &$1) } }
        } else {
            restoreShared(entry, groups)
        }
    }

    private mutating func restoreShared(_ entry: LogEntry, _ groups: [SharedGroup]) {
        var rest = groups
        var interrupted: [[SharedGroup]] = []
        for shard in shards {
            let here = shard.withCore { core, _ in
                rest.filter { core.isInterrupted(SentExchange(sequence: entry.sequence, group: $0)) }
            }
            rest.removeAll { here.contains($0) }
            interrupted.append(here)
        }
        for (shard, here) in zip(shards, interrupted) {
            rest = shard.withCore { $0.restore(entry, groups: here + rest, at: now, into: &$1) }
        }
        for group in rest { unclaimed.append((group, entry.sequence)) }
    }

    /// The engine gives what is left of the expiry interval: it counts from here, in the time of this process.
    private func startClock(of message: ApplicationMessage) {
        if message.expiryInterval != nil { message.receivedAt = now }
    }

    /// Everything has been handed over. The first shard ends the groups that nobody has a member for.
    package func finish() {
        for (index, shard) in shards.enumerated() {
            let groups = index == 0 ? unclaimed : []
            shard.withCore { $0.restoreFinished(unclaimed: groups, at: now, into: &$1) }
        }
    }
}
