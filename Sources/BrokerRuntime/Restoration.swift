import Backbone
import BrokerCore
import MQTTModel
import NIOCore

/// Hands what a lasting engine kept to the shards, on the thread that starts them, before their loops run.
struct Restoration {
    private let shards: [Shard]
    private let now: Instant

    init(_ shards: [Shard]) {
        self.shards = shards
        for shard in shards { shard.readClock() }
        now = shards[0].now
    }

    func run(_ engine: any BackboneEngine) throws {
        var unclaimed: [(group: SharedGroup, sequence: LogSequence)] = []
        let count = UInt16(shards.count)
        try engine.restore { session in
            let home = shards[Int(HomeShard.index(of: session.clientIdentifier, shardCount: count))]
            home.core.restore(session, at: now, into: &home.effects)
        } retained: { message in
            for shard in shards { shard.core.restore(retained: message) }
        } entry: { entry, groups in
            for group in restore(entry, groups) { unclaimed.append((group, entry.sequence)) }
        }
        for shard in shards {
            shard.core.restoreFinished(
                unclaimed: shard.index == 0 ? unclaimed : [], at: now, into: &shard.effects)
        }
        // Each on its loop: timers and mail belong there.
        for shard in shards { shard.loop.execute { shard.runRestoredEffects() } }
    }

    /// Hands an entry of the log to every shard. A group's message goes to the shard whose member was in the middle of it,
    /// or it would be delivered twice; else to the first that can keep it.
    /// - Returns: the groups that nobody has a member for.
    private func restore(_ entry: LogEntry, _ groups: [SharedGroup]) -> [SharedGroup] {
        var unclaimed = groups
        var interrupted: [[SharedGroup]] = []
        for shard in shards {
            let here = unclaimed.filter { shard.core.isInterrupted($0, at: entry.sequence, into: &shard.effects) }
            unclaimed.removeAll { here.contains($0) }
            interrupted.append(here)
        }
        for (shard, here) in zip(shards, interrupted) {
            unclaimed = shard.core.restore(entry, groups: here + unclaimed, at: now, into: &shard.effects)
        }
        return unclaimed
    }
}
