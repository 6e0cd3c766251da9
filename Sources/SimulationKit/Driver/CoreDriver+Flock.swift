import Backbone
import BrokerCore
import MQTTModel

/// What a node's cores reach of the flock, as `SharedBackbone` and the engine of production do it.
protocol FlockAccess: AnyObject {
    /// On the shard's thread, from inside a step: nothing comes of it before the step has ended.
    func submit(_ command: BackboneCommand, _ token: BackboneToken, of shard: UInt16)
    /// To every other node, for whoever wants it there at this moment.
    func broadcast(_ message: PeerMessage)
}

extension CoreDriver {
    /// From now on the node is one of several. Before the first connection.
    func join(_ flock: any FlockAccess) {
        self.flock = flock
        options.readsLogBack = true
        options.isInFlock = true
        for shard in shards { shard.begin(count: shardCount, options: options) }
    }

    /// The process takes up what the flock has for it.
    func takeUp(
        sessions: [RestoredSession], retained: [(message: ApplicationMessage, position: RetainedPosition)],
        entries: [LogEntry]
    ) {
        effectsUntilCrash = nil
        var restoration = NodeRestoration(shards, at: now)
        for session in sessions { restoration.restore(session) }
        for one in retained { restoration.restore(retained: one.message, position: one.position) }
        for entry in entries { restoration.restore(entry, groups: []) }
        restoration.finish()
        for shard in shards { runEffects(of: shard) }
        run()
    }

    /// Leaves what is settled with the shards. An entry is with every other shard before the answer is with the one that
    /// asked.
    func leave(_ settled: [Settled]) {
        guard !isCrashing else { return }
        for one in settled {
            if one.isTold {
                tell(one)
                continue
            }
            if let entry = one.entry {
                for shard in shards where shard.index != Int(one.submitter) { shard.mailbox.append(.logEntry(entry)) }
                shards[Int(one.submitter)].mailbox.append(.logEntry(entry))
            }
            let answer: Mailbox.Item =
                if let found = one.found {
                    .fetched(one.token, one.outcome == .done ? found : nil)
                } else if let taken = one.taken {
                    .taken(one.token, taken)
                } else {
                    .answer(one.token, one.outcome)
                }
            shards[Int(one.submitter)].mailbox.append(answer)
        }
        run()
    }

    /// What comes of other nodes: nobody here has asked for it.
    private func tell(_ one: Settled) {
        if let entry = one.entry { for shard in shards { shard.mailbox.append(.logEntry(entry)) } }
        if let client = one.lost { homeShard(of: client).mailbox.append(.lost(clientIdentifier: client)) }
        for shard in shards {
            let passed = one.passed.filter { $0.choices.contains { homeShard(of: $0.client.string) === shard } }
            if !passed.isEmpty { shard.mailbox.append(.passed(passed)) }
        }
        guard let taken = one.taken else { return }
        for shard in shards {
            let sessions = taken.sessions.filter { homeShard(of: $0.clientIdentifier) === shard }
            if sessions.isEmpty { continue }
            shard.mailbox.append(.taken(nil, TakenSessions(sessions: sessions, entries: taken.entries)))
        }
    }

    private func homeShard(of client: String) -> Shard {
        shards[Int(HomeShard.index(of: client, shardCount: UInt16(shardCount)))]
    }

    /// The flock has dropped what the log held up to here.
    func leave(droppedThrough sequence: LogSequence) {
        guard !isCrashing else { return }
        for shard in shards { shard.mailbox.append(.logDropped(through: sequence)) }
        run()
    }

    /// Messages that another node has broadcast.
    func leave(broadcast messages: [ApplicationMessage]) {
        guard !isCrashing else { return }
        for message in messages {
            let entry = LogEntry(sequence: 0, message: message, publisher: .remote)
            for shard in shards {
                shard.mailbox.append(
                    .peerMessage(
                        source: UInt16(shard.index), .published(entry, toSubscribers: true, groups: [])))
            }
        }
        run()
    }
}
