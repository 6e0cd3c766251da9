package import AccessControl

/// How a broker behaves where the standard leaves a choice.
package struct BrokerOptions: Sendable {
    package var limits = Limits()
    /// Which member of a shared subscription gets the next message.
    package var sharedStrategy: SharedStrategy = .roundRobin
    /// Whether in a flock members of shared subscriptions on the publisher's node come before others.
    package var prefersLocalMembers = false
    /// What a session loses when its queue is full.
    package var queueFullPolicy: QueueFullPolicy = .dropNewest
    /// Whether the backbone can `fetch`: a session then holds of a message of the log only where it lies. Set by the
    /// driver.
    package var readsLogBack = false
    /// Whether other nodes share the backbone: a CONNECT then claims its session, and every message with QoS > 0 goes
    /// through the log, since a session of another node may want it. Set by the driver.
    package var isInFlock = false
    /// Shown at `$SYS/broker/version`.
    package var versionText = "Dunlin"
    /// Time between two updates of `$SYS`; zero turns `$SYS` off.
    package var statusInterval: Duration = .seconds(10)
    /// Time between two notes to the backbone of how far the sessions have come; a crash repeats the QoS 1 messages of as
    /// much time.
    package var cursorInterval: Duration = .milliseconds(500)
    /// Response Information for clients that ask for it (5.0 section 3.2.2.3.14): the prefix of their response topics.
    /// `%c` becomes the client identifier. nil answers none.
    package var responseInformation: String?
    /// What topics are hashed with; drawn at random by a server, so that no client can choose topics that collide.
    package var hashSeed: UInt64 = 0

    /// Who may connect and do what; nil: everybody everything, and nothing is ever asked.
    package var access: AccessPolicy?

    package init() {}
}

/// Which member of a shared subscription gets the next message (5.0 section 4.8.2 leaves it to the server).
package enum SharedStrategy: String, Sendable, CaseIterable {
    /// Each in turn.
    case roundRobin = "round-robin"
    /// The one with the fewest messages that it has not acknowledged; in turn among equals.
    case leastInflight = "least-inflight"
}

/// What a session loses when its queue is full (`Limits.maximumQueuedMessages`, `maximumQueuedBytes`).
package enum QueueFullPolicy: String, Sendable, CaseIterable {
    /// The message that comes.
    case dropNewest = "drop-newest"
    /// Those that wait longest; while copies of retained messages wait before them, the one that comes.
    case dropOldest = "drop-oldest"
}
