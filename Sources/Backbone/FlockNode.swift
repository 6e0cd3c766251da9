/// What a node of a flock tells the others of itself, for whoever looks after them. The broker decides nothing by it.
package struct NodeFacts: Sendable, Hashable {
    /// Of the broker.
    package var version = ""
    package var isReady = false
    package var isDraining = false
    /// Why it is not ready; in words for people.
    package var reasons: [String] = []
    package var listeners: [String] = []
    package var uptimeSeconds: UInt64 = 0
    package var connections: UInt64 = 0
    package var clients: UInt64 = 0
    package var sessions: UInt64 = 0
    package var subscriptions: UInt64 = 0
    package var retainedMessages: UInt64 = 0
    /// Batches of the log that it has still to read; the engine's to tell.
    package var lagBatches: UInt64 = 0
    /// For how long the servers have owed it an answer; likewise.
    package var lagMilliseconds: UInt64 = 0

    package init() {}
}

/// A node of the flock as another one knows it.
package struct NodeSighting: Sendable, Hashable {
    package let name: String
    /// Whether the log says that it has begun and not ended.
    package let isLiving: Bool
    /// Since it was last heard; nil: not since this node has begun.
    package let silence: Duration?
    package let facts: NodeFacts?

    package init(name: String, isLiving: Bool, silence: Duration?, facts: NodeFacts?) {
        self.name = name
        self.isLiving = isLiving
        self.silence = silence
        self.facts = facts
    }
}

/// What an operator wants of a node; asked of any node of its flock.
package enum NodeOrder: Sendable, Hashable {
    /// Move the clients away. What is not said is as the node's configuration has it.
    case drain(connectionsPerSecond: UInt32?, serverReference: String?, isPermanent: Bool?)
    /// Take clients again.
    case endDrain
}

/// What became of an order; in words for people.
package enum NodeAnswer: Sendable, Hashable {
    case done(String)
    case refused(String)
    /// There is no such node, or it cannot be reached, or nobody knows whether it has done it.
    case noAnswer(String)
}
