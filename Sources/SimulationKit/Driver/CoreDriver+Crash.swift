package import Backbone
import BrokerCore
import MQTTModel

/// The lasting engine, and the end of the process before it has said goodbye.
extension CoreDriver {
    /// From now on what the engine commits outlives the process. Before the first connection.
    func useEngine(_ faults: SimulatedBackbone.Faults, random: SplitMix64) {
        engine = SimulatedBackbone(shardCount: shardCount, faults: faults, random: random)
        options.readsLogBack = true
        for shard in shards { shard.begin(count: shardCount, options: options) }
    }

    /// The same for a story in a test: commits at once, or a while later.
    package func useLastingEngine(maximumCommitDelayMilliseconds: Int = 0, failedReadPercent: Int = 0) {
        var faults = SimulatedBackbone.Faults()
        faults.failedReadPercent = failedReadPercent
        faults.maximumCommitDelayMilliseconds = maximumCommitDelayMilliseconds
        useEngine(faults, random: random.split(7))
    }

    func submit(_ command: BackboneCommand, _ token: BackboneToken, of shard: Shard) {
        engine?.submit(command, submitter: UInt16(shard.index), token: token, at: now)
        deliver(engine?.takePremature(at: now) ?? [])
    }

    /// From now on the engine can read and write.
    package func healEngine() { engine?.heal() }

    /// The log's bounds take everything up to `sequence`; the shards are told, or find out.
    package func dropLog(through sequence: LogSequence, isTold: Bool) {
        engine?.dropLog(through: sequence)
        guard isTold else { return }
        for shard in shards { shard.mailbox.append(.logDropped(through: sequence)) }
        run()
    }

    /// The engine's next commit or an answer of its reader is due.
    func runEngine() {
        guard !isCrashing else { return }
        deliver(engine?.read(at: now) ?? [])
        if let commit = engine?.nextCommit, commit <= now { deliver(engine?.commit(at: now) ?? []) }
        run()
    }

    /// An entry is with every shard before the answer is with the one that asked.
    private func deliver(_ settled: [Settled]) {
        for one in settled {
            if let entry = one.entry {
                for shard in shards { shard.mailbox.append(.logEntry(entry)) }
            }
            let answer: Mailbox.Item =
                one.found.map { .fetched(one.token, one.outcome == .done ? $0 : nil) }
                ?? .answer(one.token, one.outcome)
            shards[Int(one.submitter)].mailbox.append(answer)
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

    /// A new process takes up what the engine kept, as production does.
    package func restart() {
        effectsUntilCrash = nil
        engine?.restart(at: now)
        guard let store = engine?.store else { return }
        var restoration = NodeRestoration(shards, at: now)
        for session in store.restoredSessions(at: now) { restoration.restore(session) }
        for (message, position) in store.restoredRetained(at: now) {
            restoration.restore(retained: message, position: position)
        }
        for (entry, groups) in store.restoredLog(at: now) { restoration.restore(entry, groups: groups) }
        restoration.finish()
        for shard in shards { runEffects(of: shard) }
        run()
    }
}

extension CoreDriver.Shard: RestorableShard {
    func withCore<Result>(_ body: (inout BrokerCore, inout Effects) -> Result) -> Result {
        body(&core, &effects)
    }
}
