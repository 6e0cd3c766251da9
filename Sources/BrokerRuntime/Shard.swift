package import AccessControl
import Backbone
package import BrokerCore
package import Logging
import MQTTModel
package import NIOCore

/// One event loop's part of the broker: a core, its connections, and everything that turns the core's effects into
/// bytes, timers and mail.
///
/// Confined to its event loop, which every method asserts that is called from outside; hence `@unchecked Sendable`.
///
/// How a tick of the loop goes: connections that are readable hand in their bytes; each packet is one step of the core,
/// whose effects are run at once, but what is to be sent only gathers in the connections' outbound buffers; at the end
/// of the tick `flush` posts the mail for other shards and then writes each connection once. So a client never sees
/// the effect of a step before the other shards can see it, too.
package final class Shard: @unchecked Sendable {
    package let index: UInt16
    package let loop: any EventLoop
    package let limits: Limits
    package let logger: Logger
    let backbone: SharedBackbone
    let mailbox: Mailbox
    /// Asked who clients are; needed when the options' policy checks them.
    let authenticator: (any Authenticator)?
    /// All shards of the node by index, this one included. Set once, before the first connection.
    var allShards: [Shard] = []

    var core: BrokerCore
    var effects = Effects()
    /// What the core has to be told after the step that is running.
    var inputs: [Input] = []
    var isStepping = false
    var now: Instant = .zero
    var pool = MessagePool()
    var random = SystemRandomNumberGenerator()

    var slots: [ConnectionSlot] = []
    var freeSlots: [UInt32] = []
    package internal(set) var connectionCount = 0
    /// Connections that the core has closed and whose transport has not ended yet.
    var departing: [ObjectIdentifier: Connection] = [:]
    /// The connection whose bytes are being decoded.
    var current: Connection?

    var dirtySlots: [UInt32] = []
    var farewells: [Farewell] = []
    var resumable: [ConnectionID] = []
    var buffers = OutboundBufferPool()
    var isFlushScheduled = false

    /// Mail for each shard that is posted before the next write, and whether that shard's mailbox was full.
    var outboxes: [Outbox] = []
    var hasOutgoingMail = false
    var takenMail: [Mail] = []
    var waitingForRoom: [ConnectionID] = []

    var deadline: Instant = .distantFuture
    var scheduledDeadline: Instant = .distantFuture
    var deadlineTimer: NIOScheduledCallback?

    var memoryLevel = MemoryLevel.normal
    /// What the client of each connection has proven its name by, by its slot, if that can be taken away.
    var credentials: [UInt32: Credential] = [:]
    /// How fast each connection sends, by its slot, once it has sent while packets are counted on their way in.
    var receiveRates: [UInt32: ReceiveRate] = [:]
    /// Whether packets are counted on their way in.
    var isThrottling = false
    /// The connection that was read from last, and when it was last another than the one before.
    var lastReceiver: ObjectIdentifier?
    var lastOther = Instant.zero
    /// How often the clock is looked at while one is served, and when it was.
    var packetsBetweenLooks = 1
    var lastLook: UInt64 = 0
    /// Nanoseconds that the last flush took that wrote to many.
    var lastLargeFlush: UInt64 = 0

    var runtimeCounters = RuntimeCounters()
    var clients = ClientCounts()
    /// PUBLISH packets to clients.
    var sent = MessageCounts()
    var latency = LatencyHistogram()
    /// When a message arrived that the next flush writes, if it is one whose way is timed.
    var timedSince = Instant.zero
    /// What clients that connect are told while the broker is being drained.
    var redirection: Redirection?
    /// Shared by all shards.
    let bans: BanList
    var isShuttingDown = false
    var whenEmpty: (() -> Void)?

    package init(
        index: UInt16, shardCount: UInt16, loop: any EventLoop, options: BrokerOptions, backbone: SharedBackbone,
        authenticator: (any Authenticator)?, bans: BanList, logger: Logger
    ) {
        precondition(
            authenticator != nil || options.access?.checksClients != true, "somebody has to check the clients")
        self.index = index
        self.loop = loop
        self.limits = options.limits
        self.logger = logger
        self.backbone = backbone
        self.authenticator = authenticator
        self.bans = bans
        self.mailbox = Mailbox(
            maximumMessages: options.limits.maximumMailboxMessages, maximumBytes: options.limits.maximumMailboxBytes)
        self.core = BrokerCore(shard: index, shardCount: shardCount, options: options)
        updateThrottling()
    }

    /// Makes the shards of a node, one for each loop, and acquaints them with each other.
    package static func makeAll(
        loops: [any EventLoop], options: BrokerOptions, backbone: SharedBackbone = SharedBackbone(),
        authenticator: (any Authenticator)? = nil, bans: BanList = BanList(), logger: Logger
    ) -> [Shard] {
        var options = options
        options.readsLogBack = backbone.readsBack
        options.isInFlock = backbone.isShared
        if options.hashSeed == 0 { options.hashSeed = .random(in: 1...UInt64.max) }
        let count = UInt16(loops.count)
        let shards = loops.enumerated().map { index, loop in
            Shard(
                index: UInt16(index), shardCount: count, loop: loop, options: options, backbone: backbone,
                authenticator: authenticator, bans: bans, logger: logger)
        }
        for shard in shards {
            shard.allShards = shards
            shard.outboxes = shards.map { _ in Outbox() }
        }
        return shards
    }

    // MARK: Steps

    /// Tells the core what happened, now or, from inside a step, after it.
    func submit(_ input: consuming Input) {
        if isStepping {
            inputs.append(input)
        } else {
            step(input)
            if !inputs.isEmpty { stepThroughInputs() }
        }
    }

    // `effects.isEmpty` is a call into another module that copies all of `effects`.
    @inline(__always)
    private func step(_ input: consuming Input) {
        isStepping = true
        core.step(input, at: now, using: &random, into: &effects)
        if !effects.all.isEmpty {
            runEffects()
            effects.removeAll()
        }
        isStepping = false
    }

    /// `submit(.packetReceived(id, packet))` without making an `Input`, which would copy the packet. Not from inside a step.
    @inline(__always)
    func step(_ packet: Packet, of id: ConnectionID) {
        isStepping = true
        core.packetReceived(packet, on: id, at: now, using: &random, into: &effects)
        if !effects.all.isEmpty {
            runEffects()
            effects.removeAll()
        }
        isStepping = false
        if !inputs.isEmpty { stepThroughInputs() }
    }

    func stepThroughInputs() {
        var next = 0
        while next < inputs.count {
            // Moved out and not copied: a message that another shard sent is counted by both threads.
            step(exchange(&inputs[next], with: .deadlineReached))
            next += 1
        }
        inputs.removeAll(keepingCapacity: inputs.capacity <= 1024)
    }

    /// Runs what taking up the state before the restart asked for.
    func runRestoredEffects() {
        loop.assertInEventLoop()
        isStepping = true
        runEffects()
        effects.removeAll()
        isStepping = false
        if !inputs.isEmpty { stepThroughInputs() }
    }

    /// The time of this tick. The core is told the same instant for all packets of one read.
    func readClock() {
        let clock = NIODeadline.now().uptimeNanoseconds
        if clock > now.nanoseconds { now = Instant(nanoseconds: clock) }
    }

    // MARK: Timer

    func setDeadline(_ instant: Instant) {
        deadline = instant
        // One that falls due earlier does no harm, and most deadlines move away: it is set again when it fires.
        guard instant < scheduledDeadline else { return }
        deadlineTimer?.cancel()
        scheduledDeadline = instant
        let deadline = NIODeadline.uptimeNanoseconds(instant.nanoseconds)
        do {
            deadlineTimer = try loop.scheduleCallback(at: deadline, handler: DeadlineHandler(shard: self))
        } catch {
            // Only a loop that is shut down refuses.
            deadlineTimer = nil
        }
    }

    fileprivate func deadlineTimerFired() {
        deadlineTimer = nil
        scheduledDeadline = .distantFuture
        readClock()
        guard deadline <= now else { return setDeadline(deadline) }
        deadline = .distantFuture
        submit(.deadlineReached)
    }

    // MARK: Metrics and shutdown

    /// The counters. On the shard's loop.
    package var metrics: ShardMetrics {
        loop.assertInEventLoop()
        return ShardMetrics(
            shard: index, connections: connectionCount, clients: clients, core: core.counters,
            runtime: runtimeCounters, received: core.received, sent: sent, census: core.census, latency: latency)
    }

    package func countAcceptFailure() {
        loop.assertInEventLoop()
        runtimeCounters.acceptFailures += 1
    }

    /// Has the core say goodbye to every client; calls `whenEmpty` when the last connection has ended, at the latest
    /// after `Limits.shutdownTimeout`, when what is left is cut.
    package func shutDown(whenEmpty: @escaping () -> Void) {
        loop.assertInEventLoop()
        isShuttingDown = true
        self.whenEmpty = whenEmpty
        readClock()
        submit(.shutdownRequested)
        let timeout = TimeAmount.nanoseconds(Int64(clamping: limits.shutdownTimeout.wholeNanoseconds))
        loop.assumeIsolated().scheduleTask(in: timeout) { self.cutAll() }
        announceIfEmpty()
    }

    /// Lets the loops of these shards end, when all of them are empty: a loop that has ended takes no task, so nothing may be
    /// posted to it any more.
    package static func endMail(between shards: [Shard]) async throws {
        for shard in shards { shard.mailbox.close() }
        // Whoever has posted before is through with it after that.
        for shard in shards { try await shard.loop.submit {}.get() }
    }

    /// Lets go of shards whose loops have ended: they hold each other.
    package static func forget(_ shards: [Shard]) {
        for shard in shards { shard.allShards = [] }
    }

    private func cutAll() {
        for slot in slots { slot.connection?.close(after: nil) }
        for connection in departing.values { connection.close(after: nil) }
        departing.removeAll()
        connectionCount = 0
        announceIfEmpty()
    }

    func announceIfEmpty() {
        guard isShuttingDown, connectionCount == 0, departing.isEmpty, let whenEmpty else { return }
        self.whenEmpty = nil
        whenEmpty()
    }
}

private struct DeadlineHandler: NIOScheduledCallbackHandler {
    let shard: Shard

    func handleScheduledCallback(eventLoop: some EventLoop) { shard.deadlineTimerFired() }
}
