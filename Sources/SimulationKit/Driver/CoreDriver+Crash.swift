import Backbone
import BrokerCore
import MQTTModel

/// The lasting engine, and the end of the process before it has said goodbye.
extension CoreDriver {
    /// From now on what the engine commits outlives the process. Before the first connection.
    func useEngine(_ faults: SimulatedBackbone.Faults, random: SplitMix64) {
        engine = SimulatedBackbone(shardCount: shardCount, faults: faults, random: random)
    }

    /// The same for a story in a test: commits at once, or a while later.
    package func useLastingEngine(maximumCommitDelayMilliseconds: Int = 0) {
        var faults = SimulatedBackbone.Faults()
        faults.maximumCommitDelayMilliseconds = maximumCommitDelayMilliseconds
        useEngine(faults, random: random.split(7))
    }

    func submit(_ command: BackboneCommand, _ token: BackboneToken, of shard: Shard) {
        engine?.submit(command, submitter: UInt16(shard.index), token: token, at: now)
        deliver(engine?.takePremature(at: now) ?? [])
    }

    /// The engine's next commit is due.
    func commitEngine() {
        guard !isCrashing else { return }
        deliver(engine?.commit(at: now) ?? [])
        run()
    }

    /// An entry is with every shard before the answer is with the one that asked.
    private func deliver(_ settled: [Settled]) {
        for one in settled {
            if let entry = one.entry {
                for shard in shards { shard.mailbox.append(.logEntry(entry)) }
            }
            shards[Int(one.submitter)].mailbox.append(.answer(one.token, one.outcome))
        }
    }

    /// The process is gone, and with it everything but what the engine has committed and what is in the network.
    /// - Returns: the connections that were open.
    @discardableResult package func crash() -> [DriverConnection] {
        var open: [DriverConnection] = []
        for index in connections.indices where connections[index].location != nil {
            open.append(DriverConnection(index: index))
            detach(DriverConnection(index: index))
            connections[index].isReadingPaused = false
            connections[index].isClosedByBroker = true
        }
        engine?.crash(at: now)
        readable = []
        for shard in shards { shard.begin(count: shardCount, options: options) }
        // Until `restart` nothing is done.
        effectsUntilCrash = 0
        return open
    }

    /// A new process takes up what the engine kept, as production does (`Restoration`).
    package func restart() {
        effectsUntilCrash = nil
        guard let store = engine?.store else { return }
        var unclaimed: [(group: SharedGroup, sequence: LogSequence)] = []
        for session in store.restoredSessions(at: now) {
            let home = shards[
                Int(HomeShard.index(of: session.clientIdentifier, shardCount: UInt16(shardCount)))]
            home.core.restore(session, at: now, into: &home.effects)
        }
        for message in store.restoredRetained(at: now) {
            for shard in shards { shard.core.restore(retained: message) }
        }
        for (entry, groups) in store.restoredLog(at: now) {
            for group in restore(entry, groups) { unclaimed.append((group, entry.sequence)) }
        }
        for shard in shards {
            shard.core.restoreFinished(
                unclaimed: shard.index == 0 ? unclaimed : [], at: now, into: &shard.effects)
        }
        for shard in shards { runEffects(of: shard) }
        run()
    }

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
