package import Backbone
package import MQTTModel

/// What all of the log up to a place says: the sessions of every node, the retained messages, and which groups are not
/// done with which message. Every node adds up the same batches in the same order and so has the same state.
package struct FlockState: Sendable {
    /// The place in the stream of the last batch.
    package private(set) var stream: UInt64 = 0
    package private(set) var sessions: [ExactText: SessionRecord] = [:]
    /// Messages of the log that shared subscriptions are not done with.
    package private(set) var unfinishedGroups: [LogSequence: [SharedGroup]] = [:]
    /// What each node's sessions have had.
    package private(set) var needed: [ExactText: LogSequence] = [:]

    package init() {}

    /// Adds the batch at a place of the stream that is after all before.
    package mutating func apply(_ batch: FlockBatch, stream: UInt64) {
        precondition(stream > self.stream, "batches come in the order of the stream")
        self.stream = stream
        for (index, record) in batch.records.enumerated() {
            let position = LogSequence(stream: stream, index: index)
            switch record {
            case .append(let append): apply(append, at: position)
            case .changes(let changes):
                for change in changes { apply(change, of: batch, at: position) }
            case .needed(let sequence): needed[batch.identity.node] = sequence
            }
        }
    }

    private mutating func apply(_ append: LogAppend, at position: LogSequence) {
        if !append.groups.isEmpty { unfinishedGroups[position] = append.groups }
        if let received = append.received {
            sessions[received.clientIdentifier]?.receive(received.packetIdentifier)
        }
        if let client = append.willOf { sessions[ExactText(client)]?.willPublished() }
    }

    private mutating func apply(_ change: SessionChange, of batch: FlockBatch, at position: LogSequence) {
        switch change {
        case .began(let client):
            sessions[ExactText(client)] = SessionRecord(
                clientIdentifier: client, owner: batch.identity.node, at: position)
        case .ended(let client): sessions[ExactText(client)] = nil
        case .groupFinished(let group, let sequence):
            unfinishedGroups[sequence]?.removeAll { $0 == group }
            if unfinishedGroups[sequence]?.isEmpty == true { unfinishedGroups[sequence] = nil }
        case .connected(let client, _, _), .disconnected(let client, _, _), .subscribed(let client, _, _, _, _, _),
            .unsubscribed(let client, _, _), .wished(let client, _), .fulfilled(let client, _),
            .sending(let client, _, _, _), .handedOver(let client, _), .finished(let client, _),
            .advanced(let client, _):
            sessions[ExactText(client)]?.apply(change, at: position, now: batch.writtenAt)
        case .released(let exchange):
            sessions[exchange.clientIdentifier]?.apply(change, at: position, now: batch.writtenAt)
        }
    }
}
