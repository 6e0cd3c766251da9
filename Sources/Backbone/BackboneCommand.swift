/// What a broker asks of the part of it that is durable or shared between shards and nodes. The engine answers every
/// command exactly once with a `BackboneOutcome`, and all but `fetch` in the order in which it was given them.
package enum BackboneCommand: Sendable {
    /// Keep a message, or make it the retained one of its topic, and tell every shard with a `LogEntry`, in one order for
    /// all of them, before the answer: whatever a client causes after the answer comes after the entry on every shard
    /// (P1, P4). When it does not take one, it takes none that the same publisher has sent behind it without knowing that
    /// (P3, `RefusedPublishers`).
    case append(LogAppend)
    /// Note changes of sessions, all of them or none.
    case store([SessionChange])
    /// Every session of the shard has had what the log holds up to and including this sequence. The engine forgets what
    /// no shard needs.
    case trim(shard: UInt16, through: LogSequence)
    /// Read messages of the log again. Answered with those that it has, out of turn: neither after what was asked for
    /// before nor before what comes later, for it waits for no commit. `unknown`: it could not read.
    case fetch([LogSequence])
    /// Make the client's session this node's, whichever node has it. Answered with `TakenSessions`, once everything that
    /// any node did to the session before is in them; what another node does to it after that does not count (P2). Only
    /// an engine that several nodes share is asked.
    case claim(clientIdentifier: String)
}

/// How a command ended.
package enum BackboneOutcome: Sendable, Hashable {
    case done
    /// Another node has the session by now; nothing was done.
    case conflict
    /// There was no room for it; nothing was done.
    case full
    /// No answer came: it may or may not have been done. Never acknowledged to a client.
    case unknown
}

/// Pairs a command with its answer; unique within a shard's lifetime.
package struct BackboneToken: Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Who published a message, for No Local [MQTT-3.8.3-3]: a session of one shard. A slot is used again, the generation
/// tells its sessions apart.
package struct PublisherReference: Sendable, Hashable {
    package let shard: UInt16
    package let session: UInt32
    package let generation: UInt32

    package init(shard: UInt16, session: UInt32, generation: UInt32) {
        self.shard = shard
        self.session = session
        self.generation = generation
    }

    /// The broker itself, or a session that has ended.
    package static let none = PublisherReference(shard: .max, session: .max, generation: .max)
    /// A session of another node.
    package static let remote = PublisherReference(shard: .max - 1, session: .max, generation: .max)
}
