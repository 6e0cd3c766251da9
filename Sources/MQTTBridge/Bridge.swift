package import MQTTModel

/// A bridge between two brokers as a pure state machine: a client of both, which passes messages and their
/// acknowledgements on from one to the other.
///
/// A message keeps its packet identifier, and the bridge answers no message itself that it passes on: PUBACK, PUBREC,
/// PUBREL and PUBCOMP cross over as the two brokers send them. So the sessions of the two hold all there is to hold, and
/// the bridge has nothing that could be lost: whatever dies, each session goes on where it was, and QoS 2 is exactly once
/// over the link. While there is no link the bridge is connected to neither; its session in each broker is what waits.
/// See docs/decisions/0007-a-bridge-passes-packets-on.md.
///
/// The driver's duties:
/// 1. Give it `started` once, do the actions of each step in their order.
/// 2. Report what comes of `open`; of the connection then its packets, in order, and its end, until `close`.
/// 3. Hand over a packet of a side only while `isReading` of it; ask anew after each packet.
/// 4. Give it `deadlineReached` when `deadline` has come; it may change with every step. Too early does no harm.
/// 5. `now` never goes back.
package struct Bridge: ~Copyable {
    /// No transition but those named here; every state but `stopped` can go to `waiting` and to `stopped`.
    enum Phase {
        /// Can transition to: opening.
        case idle
        /// The next attempt is due then. Can transition to: opening.
        case waiting(until: Instant)
        /// Can transition to: greeting.
        case opening(BridgeSide, deadline: Instant)
        /// CONNECT is sent. Can transition to: opening the other side, relaying.
        case greeting(BridgeSide, deadline: Instant)
        case relaying(since: Instant)
        case stopped
    }

    package let options: BridgeOptions
    let credentials: BridgeCredentials
    package internal(set) var counters = BridgeCounters()

    var phase = Phase.idle
    /// Attempts since the last link that lasted.
    var failedAttempts = 0
    /// Whether the next CONNECT to the remote broker has the bridge bit.
    var triesBridgeBit: Bool
    /// Whether the present connection to the remote broker has it.
    var hasBridgeBit = false
    /// Whether both brokers have answered everything that a link begins with.
    var isComplete = false
    var local = Peer()
    var remote = Peer()
    private let mappings: (fromLocal: TopicMapping, fromRemote: TopicMapping)

    package init(options: BridgeOptions, credentials: BridgeCredentials = BridgeCredentials()) {
        self.options = options
        self.credentials = credentials
        triesBridgeBit = options.version == .v3_1_1 && options.usesBridgeBit
        mappings = (TopicMapping(options.topics, from: .local), TopicMapping(options.topics, from: .remote))
    }

    package mutating func step(
        _ input: BridgeInput, at now: Instant, using random: inout some RandomNumberGenerator,
        into actions: inout [BridgeAction]
    ) {
        if case .stopped = phase { return }
        switch input {
        case .started: open(.remote, at: now, into: &actions)
        case .connectionOpened(let side): opened(side, at: now, into: &actions)
        case .connectionFailed(let side, let reason):
            fail(side, .unreachable(reason), at: now, using: &random, into: &actions)
        case .packetReceived(let packet, let side):
            if let end = received(packet, from: side, at: now, into: &actions) {
                fail(end.side, end.reason, at: now, using: &random, into: &actions)
            }
        case .violationReceived(let violation, let side):
            fail(side, .violation(violation), at: now, using: &random, into: &actions)
        case .connectionClosed(let side):
            closed(side)
            fail(side, .lost, at: now, using: &random, into: &actions)
        case .readingPaused(let side): self[side].isReadingPaused = true
        case .readingResumed(let side): readingResumed(side, at: now)
        case .deadlineReached: deadlineReached(at: now, using: &random, into: &actions)
        case .stopRequested: stop(at: now, into: &actions)
        }
    }

    /// Whether a packet of this side may be handed over.
    package func isReading(_ side: BridgeSide) -> Bool {
        switch phase {
        case .greeting(side, _), .relaying: true
        case .idle, .waiting, .opening, .greeting, .stopped: false
        }
    }

    /// Whether messages flow, and both brokers know what the bridge wants.
    package var isUp: Bool {
        if case .relaying = phase { isComplete } else { false }
    }

    /// What messages take that wait for room at a broker, bytes.
    package var waitingBytes: Int { local.window.pendingBytes + remote.window.pendingBytes }

    subscript(side: BridgeSide) -> Peer {
        get { side == .local ? local : remote }
        _modify { if side == .local { yield &local } else { yield &remote } }
    }

    func mapping(from source: BridgeSide) -> TopicMapping {
        source == .local ? mappings.fromLocal : mappings.fromRemote
    }

    mutating func send(_ packet: Packet, to side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]) {
        self[side].liveness.lastSentAt = now
        actions.append(.send(packet, side))
    }

    private mutating func received(
        _ packet: Packet, from side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]
    ) -> Failure? {
        self[side].liveness.lastReceivedAt = now
        switch phase {
        case .greeting(side, _): return greeted(packet, by: side, at: now, into: &actions)
        case .relaying: return relay(packet, from: side, at: now, into: &actions)
        case .idle, .waiting, .opening, .greeting, .stopped: return nil
        }
    }
}

/// What ends a link.
struct Failure {
    let side: BridgeSide
    let reason: BridgeEnd
}

/// Who the bridge is, where its brokers ask.
package struct BridgeCredentials: Sendable, Hashable {
    package var localUserName: String?
    package var localPassword: [UInt8]?
    package var remoteUserName: String?
    package var remotePassword: [UInt8]?

    package init() {}
}
