package import Backbone
package import MQTTModel

/// What all of the log up to a place says: the nodes, the sessions and which node has each, what the log keeps for them.
/// Every node adds up the same batches in the same order and so has the same state.
package struct FlockState: Sendable {
    /// A node that has begun and not ended.
    package struct Node: Sendable, Hashable {
        package let incarnation: UInt64
        /// The highest version of batches that it reads.
        package let reads: UInt8
        /// Of the last batch of it that counted. It writes them in order, so what comes again is known by its number,
        /// though the servers have forgotten it.
        package fileprivate(set) var lastNumber: UInt64 = 0
    }

    /// What a batch did. By the places of its records, where it says nothing of a place, the record did what it says.
    package struct Applied: Sendable {
        /// False when nothing of it does: its node has ended or begun anew before, it was there before, or it is too new.
        package fileprivate(set) var counts = true
        /// A node that has begun before cannot read it: it counts nowhere, and whoever wrote it has to write it anew.
        package fileprivate(set) var isTooNew = false
        /// It counts, and this node cannot read it: the node has to be of a newer version first.
        package fileprivate(set) var isUnreadable = false
        /// Records that did nothing, at least in part, because another node has the session.
        package fileprivate(set) var refused: Set<Int> = []
        /// What this node's claims brought it.
        package fileprivate(set) var claimed: [Int: TakenSessions] = [:]
        /// What is this node's because the one that had it has ended.
        package fileprivate(set) var adopted: [Int: TakenSessions] = [:]
        /// Sessions, or clients without one, that this node had and has no more.
        package fileprivate(set) var lost: [Int: String] = [:]
        /// Members of shared subscriptions that have their session on this node and get the message.
        package internal(set) var chosen: [Int: [GroupChoice]] = [:]
        /// Messages, without their content, that members on this node get in place of others.
        package internal(set) var passed: [Int: [LogEntry]] = [:]
        /// Nothing that was kept is left up to here, though sessions wanted it.
        package fileprivate(set) var droppedThrough: LogSequence?
    }

    /// The node that holds this state.
    package let node: ExactText
    // What follows is what a snapshot holds: `SnapshotWriter` and `SnapshotReader` have to know each of them.

    /// The place in the stream of the last batch.
    package internal(set) var stream: UInt64 = 0
    /// Those that live, by name.
    package internal(set) var nodes: [ExactText: Node] = [:]
    /// Which node has the client: its session, its connection, or both.
    package internal(set) var owners = PartedTable<ExactText, ExactText>()
    package internal(set) var sessions = PartedTable<ExactText, StoredSession>()
    package internal(set) var shared = SharedSubscriptions()
    package internal(set) var kept = KeptLog()
    package internal(set) var retained = RetainedLog()
    /// What the sessions of each living node have had.
    package internal(set) var needed: [ExactText: LogSequence] = [:]
    package internal(set) var size = LogSize()
    /// Nobody gets what the log holds up to here.
    package internal(set) var droppedThrough: LogSequence = 0
    /// Messages that sessions wanted and did not get because the log had become too large.
    package internal(set) var droppedMessages: UInt64 = 0

    // What follows is not in snapshots.

    /// The newest complete snapshot.
    package internal(set) var lastSnapshot = LastSnapshot()
    var survey = NeedSurvey()
    /// Nobody takes up the sessions that come here.
    private var isReplaying = false

    package init(of node: String) { self.node = ExactText(node) }

    /// Whether what this incarnation of the node writes counts.
    package func isLiving(_ identity: FlockBatch.Identity) -> Bool {
        nodes[identity.node]?.incarnation == identity.incarnation
    }

    private func isNew(_ identity: FlockBatch.Identity) -> Bool {
        identity.number == 0 || identity.number > nodes[identity.node]?.lastNumber ?? 0
    }

    /// The highest version of batches that all nodes read; they write no higher one.
    package var version: UInt8 {
        // Order-free: the least of all.
        nodes.values.reduce(.max) { min($0, $1.reads) }
    }

    /// Adds the batch at a place of the stream that is after all before.
    ///
    /// - Parameter now: milliseconds since 1970; what sessions that come here have left of their time is counted from it.
    @discardableResult
    package mutating func apply(_ batch: FlockBatch, stream: UInt64, now: UInt64) -> Applied {
        precondition(stream > self.stream, "batches come in the order of the stream")
        self.stream = stream
        size.add(batch.byteCount, at: stream, writtenAt: batch.writtenAt)
        forgetUnneeded(now: batch.writtenAt)
        var applied = Applied()
        if case .nodeUp(let version) = batch.records.first { begin(batch.identity, reads: version, &applied) }
        applied.isTooNew = batch.version > version
        let isNew = isLiving(batch.identity) && isNew(batch.identity)
        if isNew { nodes[batch.identity.node]?.lastNumber = batch.identity.number }
        applied.counts = isNew && !applied.isTooNew
        applied.isUnreadable = applied.counts && !batch.isReadable
        guard applied.counts else { return applied }
        for (index, record) in batch.records.enumerated() {
            let position = LogSequence(stream: stream, index: index)
            switch record {
            case .append(let append):
                if apply(append, of: batch, at: position) {
                    give(append, of: batch.identity.node, at: position, index, &applied)
                } else {
                    applied.refused.insert(index)
                }
            case .changes(let changes):
                for change in changes {
                    if apply(change, of: batch, at: position) {
                        applyShared(change, index, &applied)
                    } else {
                        applied.refused.insert(index)
                    }
                }
            case .claim(let client): claim(client, by: batch.identity.node, index, now: now, &applied)
            case .needed(let sequence): need(sequence, of: batch.identity.node)
            case .nodeUp: break
            case .nodeDown(let name, let incarnation):
                let name = ExactText(name)
                guard nodes[name]?.incarnation == incarnation else { continue }
                nodes[name] = nil
                needed[name] = nil
                let adopted = reassign(now: now, index, &applied)
                if !adopted.sessions.isEmpty { applied.adopted[index] = adopted }
            case .dropped(let through):
                drop(through: min(through, position), now: batch.writtenAt)
                applied.droppedThrough = droppedThrough
            case .snapshot(let stream, let byteCount):
                if stream < self.stream { lastSnapshot = LastSnapshot(stream: stream, byteCount: byteCount) }
            }
        }
        return applied
    }

    /// A will is published once, though a node that was cut off still has it: another may have published it, and the client
    /// may have gone since, so that nobody has it.
    private func hasWill(_ client: ExactText, at node: ExactText) -> Bool {
        owners[client] == node && sessions[client]?.will != nil
    }

    /// Adds a batch of the past: what came to this node in it is taken up later, with `own`.
    package mutating func replay(_ batch: FlockBatch, stream: UInt64) -> Applied {
        isReplaying = true
        defer { isReplaying = false }
        return apply(batch, stream: stream, now: 0)
    }

    private func isOwned(_ client: ExactText, by node: ExactText) -> Bool {
        owners[client].map { $0 == node } ?? true
    }

    // MARK: Messages

    private mutating func apply(_ append: LogAppend, of batch: FlockBatch, at position: LogSequence) -> Bool {
        let node = batch.identity.node
        // What another node has taken up with the session it publishes, or has from the client again.
        if let client = append.received?.clientIdentifier ?? append.publishedBy, !isOwned(client, by: node) {
            return false
        }
        if let client = append.willOf, !hasWill(ExactText(client), at: node) { return false }
        let expiresAt = batch.expiresAt(append.message)
        if append.isKept || !append.groups.isEmpty {
            kept.append(append.message, at: position, expiresAt: expiresAt)
        }
        if append.message.isRetained { retained.keep(append.message, at: position, expiresAt: expiresAt) }
        if let received = append.received {
            sessions[received.clientIdentifier]?.receive(received.packetIdentifier)
        }
        if let client = append.willOf { sessions[ExactText(client)]?.willPublished() }
        return true
    }

    // MARK: Sessions

    /// - Returns: false when another node has the session.
    private mutating func apply(_ change: SessionChange, of batch: FlockBatch, at position: LogSequence) -> Bool {
        guard let client = change.clientIdentifier else { return true }
        let key = ExactText(client)
        guard isOwned(key, by: batch.identity.node) else { return false }
        switch change {
        case .began: begin(client, of: batch, at: position)
        case .connected where sessions[key] == nil: begin(client, of: batch, at: position)
        case .ended: sessions[key] = nil
        case .departed:
            sessions[key] = nil
            owners[key] = nil
        default: break
        }
        let now = Instant.zero.advanced(by: .milliseconds(Int64(clamping: batch.writtenAt)))
        sessions[key]?.apply(change, at: position, position: position, now: now)
        return true
    }

    private mutating func begin(_ client: String, of batch: FlockBatch, at position: LogSequence) {
        owners[ExactText(client)] = batch.identity.node
        sessions[ExactText(client)] = StoredSession(clientIdentifier: client, since: position)
    }

    private mutating func claim(
        _ client: String, by claimant: ExactText, _ index: Int, now: UInt64, _ applied: inout Applied
    ) {
        let key = ExactText(client)
        let before = owners[key]
        owners[key] = claimant
        if claimant == node {
            applied.claimed[index] = take([key], now: now)
        } else if before == node {
            applied.lost[index] = client
        }
        if before != claimant { moved([key], index, &applied) }
    }

    /// Those of the clients that have a session, with what the log has for them.
    private func take(_ clients: [ExactText], now: UInt64) -> TakenSessions {
        if isReplaying { return TakenSessions() }
        let records = clients.compactMap { sessions[$0] }
        guard !records.isEmpty else { return TakenSessions() }
        let instant = Instant.zero.advanced(by: .milliseconds(Int64(clamping: now)))
        let restored = records.map { $0.restored(at: instant) }
        var wanted: [ExactText: LogSequence] = [:]
        var places: Set<LogSequence> = []
        for record in records {
            for subscription in record.subscriptions {
                guard let filter = TopicFilter(subscription.filter), !filter.isShared else { continue }
                let pattern = ExactText(filter.pattern)
                wanted[pattern] = min(wanted[pattern] ?? .max, record.cursor)
            }
            for sent in record.sent { places.insert(sent.exchange.sequence) }
            places.formUnion(shared.places(of: ExactText(record.clientIdentifier)))
        }
        let taken = Set(records.map { ExactText($0.clientIdentifier) })
        var entries = kept.entries(wanted: wanted, orAt: places)
        for index in entries.indices where places.contains(entries[index].sequence) {
            entries[index].choices = shared.choices(at: entries[index].sequence, for: taken)
        }
        return TakenSessions(sessions: restored, entries: entries)
    }

    /// Everything that this node has, for its start.
    package func own(now: UInt64) -> TakenSessions {
        take(sessions.keys { client, _ in owners[client] == node }.sorted { $0.string < $1.string }, now: now)
    }

    // MARK: Nodes

    private mutating func begin(_ identity: FlockBatch.Identity, reads version: UInt8, _ applied: inout Applied) {
        nodes[identity.node] = Node(incarnation: identity.incarnation, reads: version)
        // The connections of its earlier incarnation have ended.
        let had = owners.keys { $1 == identity.node }.sorted { $0.string < $1.string }
        for client in had where sessions[client] == nil { owners[client] = nil }
        needed[identity.node] = LogSequence(stream: stream, index: 0)
        moved(had, 0, &applied)
        _ = reassign(now: 0, 0, &applied)
    }

    /// Gives the sessions of nodes that have ended to those that live, everywhere in the same way. With nobody alive they
    /// stay where they are, until a node begins.
    /// - Returns: what is this node's now.
    private mutating func reassign(now: UInt64, _ index: Int, _ applied: inout Applied) -> TakenSessions {
        guard !nodes.isEmpty else { return TakenSessions() }
        let living = nodes.keys.sorted { $0.string < $1.string }
        var adopted: [ExactText] = []
        let orphans = owners.keys { nodes[$1] == nil }.sorted { $0.string < $1.string }
        for client in orphans {
            guard sessions[client] != nil else {
                owners[client] = nil
                continue
            }
            let heir = FlockState.heir(of: client, among: living)
            owners[client] = heir
            if heir == node { adopted.append(client) }
        }
        let taken = take(adopted, now: now)
        moved(orphans, index, &applied)
        return taken
    }

    /// By rendezvous hashing: when a node ends, only what it had moves.
    private static func heir(of client: ExactText, among living: [ExactText]) -> ExactText {
        var best = (weight: weight(of: living[0], client), node: living[0])
        for node in living.dropFirst() {
            let weight = weight(of: node, client)
            if weight > best.weight { best = (weight, node) }
        }
        return best.node
    }

    /// The hash alone has the last letters of a name only in its low bits.
    private static func weight(of node: ExactText, _ client: ExactText) -> UInt64 {
        var mixed = StableHash.hash(node.string) &* 31 &+ StableHash.hash(client.string)
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
