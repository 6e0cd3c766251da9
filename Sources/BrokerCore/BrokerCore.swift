package import MQTTModel

/// How a broker behaves where the standard leaves a choice.
package struct BrokerOptions: Sendable {
    package var limits = Limits()
    /// Which member of a shared subscription gets the next message.
    package var sharedStrategy: SharedStrategy = .roundRobin
    /// Shown at `$SYS/broker/version`.
    package var versionText = "Dunlin"
    /// Time between two updates of `$SYS`; zero turns `$SYS` off.
    package var statusInterval: Duration = .seconds(10)
    /// Response Information for clients that ask for it (5.0 section 3.2.2.3.14): the prefix of their response topics.
    /// `%c` becomes the client identifier. nil answers none.
    package var responseInformation: String?

    package init() {}
}

/// Which member of a shared subscription gets the next message (5.0 section 4.8.2 leaves it to the server).
package enum SharedStrategy: String, Sendable, CaseIterable {
    /// Each in turn.
    case roundRobin = "round-robin"
    /// The one with the fewest messages that it has not acknowledged; in turn among equals.
    case leastInflight = "least-inflight"
}

/// One shard of a broker as a pure state machine: connections, sessions, routing, retained messages, wills and shared
/// subscriptions. Inputs go in, effects come out; there is no socket, clock, random source, task, lock or log in it.
///
/// The driver's duties:
/// 1. Run the effects of one step in order, all of them, before the next step.
/// 2. Answer every `execute` exactly once, if need be with `unknown`.
/// 3. Never call `step` from inside an effect.
/// 4. `now` never goes back.
/// 5. Hand a shard what other shards have forwarded to it, and retained changes, before any packet that was received
///    later: that order is what makes a PUBACK mean that a later subscriber sees the message.
/// 6. After `close`, report nothing more of that connection.
/// 7. Bring a CONNECT to the client identifier's home shard.
package struct BrokerCore: ~Copyable {
    package let shard: UInt16
    package let shardCount: UInt16
    package let options: BrokerOptions
    package internal(set) var counters = Counters()

    package init(shard: UInt16 = 0, shardCount: UInt16 = 1, options: BrokerOptions = BrokerOptions()) {
        precondition(shard < shardCount, "a shard's index is below the number of shards")
        self.shard = shard
        self.shardCount = shardCount
        self.options = options
    }

    /// Tells the core what happened at `now`; appends to `effects` what the driver has to do.
    package mutating func step(
        _ input: consuming Input, at now: Instant, using random: inout some RandomNumberGenerator,
        into effects: inout Effects
    ) {
    }
}
