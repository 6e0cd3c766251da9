package import Backbone
import BrokerCore
import MQTTModel
import Synchronization

/// The backbone of all shards of a node, which gives the entries of the log one order.
package final class SharedBackbone: Sendable {
    private enum Engine: Sendable {
        /// Keeps nothing and answers at once.
        case memory
        case lasting(any BackboneEngine)
    }

    private let engine: Engine
    private let memory = Mutex(InMemoryBackbone())

    /// Without an engine nothing outlives the process.
    package init(engine: (any BackboneEngine)? = nil) {
        self.engine = engine.map { .lasting($0) } ?? .memory
    }

    /// Whether it can read back what it was told, so that the shards need not keep it.
    var readsBack: Bool { if case .lasting = engine { true } else { false } }

    /// Whether other nodes share it.
    package var isShared: Bool { if case .lasting(let engine) = engine { engine.isShared } else { false } }

    /// Hands a message to every other node.
    func broadcast(_ message: PeerMessage) {
        guard case .lasting(let engine) = engine, case .published(let entry, _, _) = message else { return }
        engine.broadcast(entry.message)
    }

    /// What the engine tells; nil when there is none.
    package var report: EngineReport? {
        if case .lasting(let engine) = engine { engine.report } else { nil }
    }

    // MARK: The other nodes, for operators

    /// Those that share it, this one included, by name; empty when nobody does.
    package var nodes: [NodeSighting] { if case .lasting(let engine) = engine { engine.nodes } else { [] } }

    package func announce(_ facts: NodeFacts) { if case .lasting(let engine) = engine { engine.announce(facts) } }

    package func give(_ order: NodeOrder, to node: String) async -> NodeAnswer {
        guard case .lasting(let engine) = engine else { return .noAnswer("this broker is not in a flock") }
        return await withCheckedContinuation { continuation in
            engine.give(order, to: node) { continuation.resume(returning: $0) }
        }
    }

    package func onOrder(_ handler: @escaping @Sendable (NodeOrder) async -> NodeAnswer) {
        guard case .lasting(let engine) = engine else { return }
        engine.onOrder { order, answer in Task { answer(await handler(order)) } }
    }

    // MARK: Commands

    /// Does what the shard's core asks for. On the shard's loop, from inside a step: what the core is to be told about it is
    /// put behind its inputs or into its mailbox.
    func execute(_ command: BackboneCommand, _ token: BackboneToken, for shard: Shard) {
        switch engine {
        case .memory: shard.inputs.append(executeInMemory(command, token, for: shard))
        case .lasting(let engine): engine.submit(command, submitter: shard.index, token: token)
        }
    }

    /// Under its lock an entry is put into every other shard's mailbox, and what is in the mailbox of the shard that asks
    /// is taken out before the entry is added: so all shards see all entries in the order in which the lock was taken.
    private func executeInMemory(_ command: BackboneCommand, _ token: BackboneToken, for shard: Shard) -> Input {
        memory.withLock { memory in
            let execution = memory.execute(command)
            if let entry = execution.entry {
                for other in shard.allShards where other !== shard { other.post([.entry(entry)], from: shard.index) }
                shard.takeMailIntoInputs()
                shard.inputs.append(.logAppended(entry))
            }
            return execution.found.map { .messagesFetched(token, $0) } ?? .backboneAnswered(token, execution.outcome)
        }
    }

    // MARK: A lasting engine

    /// Takes up what survived, then lets the engine answer. Before the shards' loops have anything to do.
    package func start(_ shards: [Shard]) throws {
        guard case .lasting(let engine) = engine else { return }
        try Shard.restore(shards, from: engine)
        engine.onBroadcast { broadcasts in
            let mail = broadcasts.map { one in
                var entry = LogEntry(sequence: 0, message: one.message, publisher: .remote)
                entry.choices = one.choices
                return Mail.peer(.published(entry, toSubscribers: one.toSubscribers, groups: []))
            }
            for shard in shards { shard.post(mail, from: shard.index) }
        }
        try engine.start { settled in
            SharedBackbone.deliver(settled, to: shards)
        } onDropped: { through in
            for shard in shards { shard.post([.dropped(through: through)], from: shard.index) }
        }
    }

    /// After the last step of the last shard.
    package func stop() {
        if case .lasting(let engine) = engine { engine.stop() }
    }

    /// Leaves what is settled with the shards, from the engine's threads. An entry is with every other shard before the
    /// answer is with the one that asked: whatever a client causes once it is answered comes later.
    private static func deliver(_ settled: [Settled], to shards: [Shard]) {
        var rest = settled[...]
        while let submitter = rest.first?.submitter {
            let run = rest.prefix { $0.submitter == submitter }
            rest = rest[run.endIndex...]
            let entries = run.compactMap { $0.entry.map { Mail.entry($0) } }
            if run.first?.isTold == true {
                tell(Array(run), to: shards)
                continue
            }
            if !entries.isEmpty {
                for shard in shards where shard.index != submitter { shard.post(entries, from: submitter) }
            }
            var mail: [Mail] = []
            for one in run {
                if let entry = one.entry { mail.append(.entry(entry)) }
                if let found = one.found {
                    mail.append(.fetched(one.token, one.outcome == .done ? found : nil))
                } else if let taken = one.taken {
                    mail.append(.taken(one.token, taken))
                } else {
                    mail.append(.answer(one.token, one.outcome))
                }
            }
            shards[Int(submitter)].post(mail, from: submitter)
        }
    }

    /// What comes of other nodes: nobody here has asked for it.
    private static func tell(_ run: [Settled], to shards: [Shard]) {
        var mail: [[Mail]] = shards.map { _ in [] }
        let home = { (client: String) in Int(HomeShard.index(of: client, shardCount: UInt16(shards.count))) }
        for one in run {
            if let entry = one.entry { for index in mail.indices { mail[index].append(.entry(entry)) } }
            if let client = one.lost { mail[home(client)].append(.lost(clientIdentifier: client)) }
            if !one.passed.isEmpty {
                for index in mail.indices {
                    let passed = one.passed.filter { $0.choices.contains { home($0.client.string) == index } }
                    if !passed.isEmpty { mail[index].append(.passed(passed)) }
                }
            }
            guard let taken = one.taken else { continue }
            for index in mail.indices {
                let sessions = taken.sessions.filter { home($0.clientIdentifier) == index }
                if sessions.isEmpty { continue }
                mail[index].append(.taken(nil, TakenSessions(sessions: sessions, entries: taken.entries)))
            }
        }
        for (shard, mail) in zip(shards, mail) where !mail.isEmpty { shard.post(mail, from: shard.index) }
    }
}
