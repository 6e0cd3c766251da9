import Backbone
import Flock
import MQTTModel
import NATSClient
import NATSProtocol
import NIOCore

/// The log of a flock over one NATS connection: the shell of `FlockLog` and `FlockState`. Lives on the connection's event
/// loop.
actor LogLink {
    nonisolated let eventLoop: any EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

    let options: FlockOptions
    let wallClock: @Sendable () -> UInt64
    let subject: Subject
    /// Told once, when the node can go on no longer.
    private let onFault: @Sendable (FlockError) -> Void
    var log: FlockLog
    var state: FlockState
    var liveness: Liveness
    var onBroadcast: (@Sendable ([Broadcast]) -> Void)?
    var onOrder: (@Sendable (NodeOrder, @escaping @Sendable (NodeAnswer) -> Void) -> Void)?
    nonisolated let board = NodeBoard()
    var roll = NodeRoll()
    var counts = LogCounts()
    var beats: UInt64 = 0
    /// Messages of QoS 0 for other nodes that found no room.
    var droppedBroadcasts: UInt64 = 0
    /// Made by `load`.
    var connection: NATSConnection?
    var upkeep = Upkeep()
    var fetches: [UInt64: Fetch] = [:]
    var nextFetch: UInt64 = 0
    /// Batches that are being read again, by their place of the stream, and who waits for them.
    var reads: [UInt64: [WantedOfBatch]] = [:]
    var recentBatches = RecentBatches()
    let silence: LinkSilence
    private var effects: [FlockLog.Effect] = []
    private var onCommit: (@Sendable ([Settled]) -> Void)?
    private var onDropped: (@Sendable (LogSequence) -> Void)?
    private(set) var tail: OrderedConsumer?
    private var whenIdle: (() -> Void)?
    private var fault: FlockError?
    /// What it writes does not count any more.
    private var isFenced = false
    /// The end of the log when it was, up to which it is read to know why.
    private var fencedUntil: UInt64?
    private var isStopped = false

    init(
        options: FlockOptions, log: FlockLog, eventLoop: any EventLoop,
        wallClock: @escaping @Sendable () -> UInt64, onFault: @escaping @Sendable (FlockError) -> Void
    ) {
        self.options = options
        self.log = log
        state = FlockState(of: log.node)
        liveness = Liveness(
            of: Liveness.Beat(node: log.node, incarnation: log.incarnation), patience: options.missedBeats)
        silence = LinkSilence(beatInterval: options.beatInterval)
        self.eventLoop = eventLoop
        self.wallClock = wallClock
        self.onFault = onFault
        guard let subject = Subject(options.stream.lowercased() + ".log") else {
            preconditionFailure("a stream's name is a word of a subject")
        }
        self.subject = subject
    }

    /// Where the nodes say things to each other that need not be kept.
    func subject(_ word: String) -> Subject {
        Subject(unchecked: Array((options.stream.lowercased() + "." + word).utf8))
    }

    var isDone: Bool { fault != nil || isStopped }

    // MARK: Writing

    /// Everything that the shards have submitted meanwhile joins one batch.
    func submit(_ submissions: [Submission]) {
        for one in submissions {
            if case .fetch(let sequences) = one.command {
                fetch(sequences, submitter: one.submitter, token: one.token)
            } else {
                log.submit(one.command, submitter: one.submitter, token: one.token)
            }
        }
        flush()
    }

    func flush() {
        guard fault == nil, !isFenced else { return }
        log.flush(at: wallClock(), version: state.version, into: &effects)
        runEffects()
    }

    private func runEffects() {
        while !effects.isEmpty {
            let due = exchange(&effects, with: [])
            for effect in due { run(effect) }
        }
        silence.batchIsUnderWay(log.numberUnderWay, at: .now())
    }

    private func run(_ effect: FlockLog.Effect) {
        switch effect {
        case .write(let bytes, let identity): write(bytes, identity)
        case .retry(let delay):
            eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) {
                self.log.retryDue(into: &self.effects)
                self.runEffects()
            }
        case .settle(let settled): onCommit?(settled)
        case .drop(let through):
            updateFigures()
            onDropped?(through)
        }
    }

    private func write(_ bytes: [UInt8], _ identity: FlockBatch.Identity) {
        guard fault == nil, !isFenced, let connection else { return }
        connection.store(
            ByteBuffer(bytes: bytes), to: subject, conditions: StoreConditions(messageID: identity.messageID),
            timeout: options.writeTimeout
        ) { outcome in
            let answer: FlockLog.Answer =
                switch outcome {
                case .stored: .stored
                case .refused(let error) where error.isFull: .full
                case .notSent(.payloadTooLarge): .full
                case .conflict, .refused, .noResponders, .notSent, .unknown: .lost
                }
            self.log.batchAnswered(identity, answer, into: &self.effects)
            if answer == .full { self.makeRoom() }
            self.runEffects()
            self.flush()
        }
    }

    // MARK: Following

    /// Follows the log behind what was loaded.
    func follow(
        onCommit: @escaping @Sendable ([Settled]) -> Void, onDropped: @escaping @Sendable (LogSequence) -> Void
    ) async throws {
        if connection == nil { _ = try await load() }
        guard let connection else { return }
        self.onCommit = onCommit
        self.onDropped = onDropped
        var consumer = OrderedConsumer.Options(stream: options.stream)
        consumer.start = .after(state.stream)
        let tail = OrderedConsumer(connection, consumer) { message, delivery in
            self.received(message.payload, stream: delivery.streamSequence)
        }
        self.tail = tail
        tail.start()
        silence.heardOwnBeat(at: .now())
        joinOthers(connection)
        flush()
    }

    private func received(_ payload: ByteBuffer, stream: UInt64) {
        guard fault == nil else { return }
        do {
            let now = wallClock()
            guard stream == state.stream + 1 else { return failed(LogLink.behind) }
            let batch = try FlockBatch(payload, at: now)
            counts.readBatches += 1
            if batch.identity.node == state.node { counts.writtenBatches += 1 }
            let applied = state.apply(batch, stream: stream, now: now)
            guard !applied.isUnreadable else { return failed(LogLink.tooNew(batch.version)) }
            guard !isFenced else { return judge() }
            guard state.isLiving(log.beginning(at: 0).identity) else { return fence() }
            for case .append(let append) in batch.records { append.message.startClock() }
            log.arrived(batch, stream: stream, applied, into: &effects)
        } catch {
            return failed(FlockError("the log cannot be read: \(error)"))
        }
        runEffects()
        flush()
        if log.waitingCount == 0 { becameIdle() }
    }

    private static let replaced = FlockError(
        "another process has begun with this node's name: each node needs a name of its own, --node says it")

    private static let dead = FlockError(
        "the flock has taken this node for dead: it was not heard for too long", remedy: .beginning)

    private static let behind = FlockError(
        "the log was shortened further than this node had read: it was cut off from the flock for too long",
        remedy: .beginning)

    /// Nothing is settled from here on. Whether the node may begin anew is for the rest of the log to say: a process that
    /// has begun with its name after its death would end by that.
    private func fence() {
        isFenced = true
        let ask = { (result: Result<StreamInfo, NATSError>) in
            self.fencedUntil = (try? result.get())?.state.lastSequence ?? 0
            self.judge()
        }
        guard let connection else { return failed(LogLink.dead) }
        connection.askJetStream("STREAM.INFO.\(options.stream)", for: StreamInfo.self, completion: ask)
    }

    private func judge() {
        guard fault == nil, let fencedUntil, state.stream >= fencedUntil else { return }
        failed(state.nodes[state.node] == nil ? LogLink.dead : LogLink.replaced)
    }

    static func tooNew(_ version: UInt8) -> FlockError {
        FlockError(
            "the log has batches of version \(version), and this node reads \(FlockBatch.version) at most: a newer version "
                + "of the broker wrote them, and this node has to be upgraded, too")
    }

    /// The node can go on no longer: nothing is acknowledged from here on.
    private func failed(_ error: FlockError) {
        fault = error
        tail?.stop()
        becameIdle()
        onFault(error)
    }

    private func becameIdle() {
        let whenIdle = whenIdle
        self.whenIdle = nil
        whenIdle?()
    }

    func answer(_ settled: Settled) {
        if fault == nil, !isFenced { onCommit?([settled]) }
    }

    // MARK: Stopping

    /// Calls `completion` when everything that was submitted is settled, as long as that is possible, and the end is said.
    func stop(_ completion: @escaping () -> Void) {
        let finish = {
            self.isStopped = true
            self.tail?.stop()
            self.end {
                self.connection?.close()
                self.connection = nil
                // They hold the shards.
                self.onCommit = nil
                self.onBroadcast = nil
                self.onOrder = nil
                completion()
            }
        }
        guard log.waitingCount > 0, tail != nil, fault == nil, !isFenced else { return finish() }
        whenIdle = finish
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(options.stopTimeout)) {
            self.becameIdle()
        }
    }

    /// Says that the node has ended, if the servers can be reached.
    func end(_ completion: @escaping () -> Void) {
        guard fault == nil, !isFenced, let connection, let batch = log.ending(at: wallClock()) else {
            return completion()
        }
        connection.store(
            ByteBuffer(bytes: batch.encoded()), to: subject,
            conditions: StoreConditions(messageID: batch.identity.messageID), timeout: options.stopTimeout
        ) { _ in completion() }
    }
}

/// A command on its way to the log.
struct Submission: Sendable {
    let command: BackboneCommand
    let submitter: UInt16
    let token: BackboneToken
}

extension FlockBatch {
    init(_ payload: ByteBuffer, at now: UInt64) throws(MalformedRecord) {
        self = try payload.read { bytes throws(MalformedRecord) in try FlockBatch(bytes, at: now) }
    }
}

extension ByteBuffer {
    func read<Value>(
        _ body: (UnsafeRawBufferPointer) throws(MalformedRecord) -> Value
    ) throws(MalformedRecord) -> Value {
        // A closure's error would lose its type.
        let result: Result<Value, MalformedRecord> = withUnsafeReadableBytes { bytes in
            do throws(MalformedRecord) { return .success(try body(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

extension JetStreamError {
    /// The stream or the server has reached its bounds and may drop nothing.
    var isFull: Bool { errorCode == 10077 || errorCode == 10047 }
}
