package import Backbone
package import MQTTModel

/// What all of the log up to a place says: the sessions of every node, and which groups are not done with which message.
/// Every node adds up the same batches in the same order and so has the same state.
package struct FlockState: Sendable {
    /// A session, and the node that has it.
    package struct OwnedSession: Sendable {
        package let owner: ExactText
        package fileprivate(set) var record: StoredSession
    }

    /// A node that has begun and not ended.
    package struct Node: Sendable, Hashable {
        package let incarnation: UInt64
    }

    /// The place in the stream of the last batch.
    package private(set) var stream: UInt64 = 0
    package private(set) var sessions: [ExactText: OwnedSession] = [:]
    /// Messages of the log that shared subscriptions are not done with.
    package private(set) var unfinishedGroups: [LogSequence: [SharedGroup]] = [:]
    /// What each node's sessions have had.
    package private(set) var needed: [ExactText: LogSequence] = [:]
    /// Those that live, by name.
    package private(set) var nodes: [ExactText: Node] = [:]

    package init() {}

    /// Whether what this incarnation of the node writes counts.
    package func isLiving(_ identity: FlockBatch.Identity) -> Bool {
        nodes[identity.node]?.incarnation == identity.incarnation
    }

    /// Adds the batch at a place of the stream that is after all before.
    ///
    /// - Returns: false when it does not count, because its node has ended or begun anew before.
    @discardableResult
    package mutating func apply(_ batch: FlockBatch, stream: UInt64) -> Bool {
        precondition(stream > self.stream, "batches come in the order of the stream")
        self.stream = stream
        if case .nodeUp = batch.records.first {
            nodes[batch.identity.node] = Node(incarnation: batch.identity.incarnation)
        }
        guard isLiving(batch.identity) else { return false }
        for (index, record) in batch.records.enumerated() {
            let position = LogSequence(stream: stream, index: index)
            switch record {
            case .append(let append): apply(append, at: position)
            case .changes(let changes):
                for change in changes { apply(change, of: batch, at: position) }
            case .needed(let sequence): needed[batch.identity.node] = sequence
            case .nodeUp: break
            case .nodeDown(let name, let incarnation):
                let name = ExactText(name)
                if nodes[name]?.incarnation == incarnation { nodes[name] = nil }
            }
        }
        return true
    }

    private mutating func apply(_ append: LogAppend, at position: LogSequence) {
        if !append.groups.isEmpty { unfinishedGroups[position] = append.groups }
        if let received = append.received {
            sessions[received.clientIdentifier]?.record.receive(received.packetIdentifier)
        }
        if let client = append.willOf { sessions[ExactText(client)]?.record.willPublished() }
    }

    private mutating func apply(_ change: SessionChange, of batch: FlockBatch, at position: LogSequence) {
        switch change {
        case .began(let client): begin(client, of: batch, at: position)
        case .connected(let client, _, _):
            if sessions[ExactText(client)] == nil { begin(client, of: batch, at: position) }
        case .ended(let client), .departed(let client): sessions[ExactText(client)] = nil
        case .groupFinished(let group, let sequence):
            unfinishedGroups[sequence]?.removeAll { $0 == group }
            if unfinishedGroups[sequence]?.isEmpty == true { unfinishedGroups[sequence] = nil }
        case .disconnected, .subscribed, .unsubscribed, .wished, .fulfilled, .released, .sending, .handedOver,
            .finished,
            .advanced:
            break
        }
        guard let client = change.clientIdentifier else { return }
        let now = Instant.zero.advanced(by: .milliseconds(Int64(clamping: batch.writtenAt)))
        sessions[ExactText(client)]?.record.apply(change, at: position, position: position, now: now)
    }

    private mutating func begin(_ client: String, of batch: FlockBatch, at position: LogSequence) {
        sessions[ExactText(client)] = OwnedSession(
            owner: batch.identity.node, record: StoredSession(clientIdentifier: client, since: position))
    }
}
