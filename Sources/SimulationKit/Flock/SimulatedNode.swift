import Backbone
import BrokerCore
package import Flock
import MQTTModel

/// A node of a simulated flock: the driver of its cores, and what `LogLink`, `NATSBackbone` and `SharedBackbone` do between
/// them and the servers. It decides nothing: what does is in the target `Flock`.
package final class SimulatedNode {
    package enum Phase: Sendable, Hashable { case down, starting, running }

    let index: Int
    package let name: String
    package let driver: CoreDriver
    unowned let flock: FlockDriver
    var random: SplitMix64
    /// Counts its processes.
    private(set) var life = 0
    package private(set) var phase = Phase.down
    /// The process stands still until then.
    var pausedUntil = Instant.zero
    /// It reaches no server.
    var isCut = false { didSet { if !isCut { scheduleTail() } } }

    var log: FlockLog
    package var state: FlockState
    var liveness: Liveness
    private var effects: [FlockLog.Effect] = []
    private var submissions: [(command: BackboneCommand, submitter: UInt16, token: BackboneToken)] = []
    private var isFlushScheduled = false
    private var isTailScheduled = false
    private var broadcasts: [ApplicationMessage] = []
    /// Sent to the servers, and neither answered nor given up.
    private var attempts: [Int: FlockBatch.Identity] = [:]
    private var lastAttempt = 0
    private let maximumLag: Int
    private let skew: Int
    /// When what it broadcasts arrives at each other node: in order.
    private var broadcastDue: [Int: Instant] = [:]
    /// The place of the log at which the node got each client last.
    private(set) var claimPlaces: [String: UInt64] = [:]

    init(index: Int, driver: CoreDriver, flock: FlockDriver, random: SplitMix64) {
        self.index = index
        self.driver = driver
        self.flock = flock
        self.random = random
        name = "node-\(index)"
        maximumLag = self.random.integer(in: 0...flock.faults.maximumLagMilliseconds)
        let bound = flock.faults.maximumSkewMilliseconds
        skew = self.random.integer(in: -bound...bound)
        log = FlockLog(node: name, incarnation: 0, shardCount: driver.shardCount)
        state = FlockState(of: name)
        liveness = Liveness(of: Liveness.Beat(node: name, incarnation: 0), patience: SimulatedNode.missedBeats)
        driver.join(self)
    }

    static let missedBeats = 6
    private static let beatInterval: Duration = .seconds(1)
    private static let writeTimeout: Duration = .seconds(3)

    package var isPaused: Bool { pausedUntil > flock.now }
    package var isRunning: Bool { phase == .running }
    var own: Liveness.Beat { Liveness.Beat(node: log.node, incarnation: log.incarnation) }

    /// Milliseconds since 1970, by its own clock.
    var wallClock: UInt64 {
        UInt64(Int64(1_600_000_000_000) + Int64(flock.now.nanoseconds / 1_000_000) + Int64(skew))
    }

    /// What has come for it while it stands still: what happens, and in which of its processes.
    private var waiting: [(life: Int, event: FlockDriver.Event)] = []

    /// It goes on: what has come for it meanwhile happens now, in order.
    func wake() {
        guard !isPaused else { return }
        while !waiting.isEmpty {
            let next = waiting.removeFirst()
            if next.life == life { run(next.event) }
        }
    }

    func receive(_ event: FlockDriver.Event) {
        wake()
        if isPaused { waiting.append((life, event)) } else { run(event) }
    }

    // MARK: Life

    /// A new process begins.
    package func start() {
        life += 1
        phase = .starting
        pausedUntil = .zero
        log = FlockLog(node: name, incarnation: UInt64(life), shardCount: driver.shardCount)
        state = FlockState(of: name)
        liveness = Liveness(of: own, patience: SimulatedNode.missedBeats)
        effects = []
        submissions = []
        broadcasts = []
        attempts = [:]
        broadcastDue = [:]
        claimPlaces = [:]
        isFlushScheduled = false
        isTailScheduled = false
        begin()
    }

    /// The process is gone.
    /// - Returns: the connections that were open.
    @discardableResult package func crash() -> [DriverConnection] {
        life += 1
        phase = .down
        return driver.crash()
    }

    private func begin() {
        let batch = log.beginning(at: wallClock)
        send(batch.encoded(), batch.identity)
    }

    func run(_ event: FlockDriver.Event) {
        switch event {
        case .flush:
            isFlushScheduled = false
            submitAll()
        case .answered(let attempt, let answer, let place): answered(attempt, answer, place)
        case .timedOut(let attempt): answered(attempt, .lost, 0)
        case .retry:
            log.retryDue(into: &effects)
            runEffects()
        case .tail: takeNext()
        case .read(let read): answer(read)
        case .beat: beat()
        case .beatHeard(let bytes): heard(beat: bytes)
        case .broadcastHeard(let bytes): heard(broadcast: bytes)
        case .beginAgain: begin()
        case .load(let place): load(through: place)
        }
    }

    /// Adds up the log, and takes up what is the node's.
    private func load(through place: UInt64) {
        var retained: [ExactText: (message: ApplicationMessage, position: RetainedPosition)] = [:]
        for stream in 1...place {
            guard let batch = flock.batch(at: stream, wallClock) else { continue }
            let applied = state.apply(batch, stream: stream, now: 0)
            guard applied.counts else { continue }
            for (index, record) in batch.records.enumerated() where !applied.refused.contains(index) {
                guard case .append(let append) = record, append.message.isRetained else { continue }
                let position = LogSequence(stream: stream, index: index)
                retained[ExactText(append.message.topicString)] =
                    append.message.payload.isEmpty ? nil : (append.message, position)
            }
        }
        guard state.isLiving(log.beginning(at: 0).identity) else { return fail() }
        phase = .running
        flock.note?("\(name) runs, from place \(place)")
        let taken = state.own(now: wallClock)
        for session in taken.sessions { claimPlaces[session.clientIdentifier] = place }
        driver.now = flock.now
        driver.takeUp(
            sessions: taken.sessions, retained: retained.values.sorted { $0.position < $1.position },
            entries: taken.entries)
        scheduleTail()
        beat()
    }

    /// The node can go on no longer.
    private func fail() {
        flock.note?("\(name) finds that it was taken for dead")
        if let onFault = flock.onFault { onFault(index) } else { crash() }
    }

    // MARK: Writing

    private func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        flock.schedule(.flush, for: self, after: .microseconds(random.integer(in: 0...200)))
    }

    private func submitAll() {
        let due = submissions
        submissions = []
        for one in due {
            if case .fetch(let sequences) = one.command {
                read(sequences, submitter: one.submitter, token: one.token)
            } else {
                log.submit(one.command, submitter: one.submitter, token: one.token)
            }
        }
        if !broadcasts.isEmpty { sendBroadcasts() }
        flush()
    }

    func flush() {
        guard phase == .running else { return }
        log.flush(at: wallClock, version: state.version, into: &effects)
        runEffects()
    }

    private func runEffects() {
        while !effects.isEmpty {
            let due = effects
            effects = []
            for effect in due { run(effect) }
        }
    }

    private func run(_ effect: FlockLog.Effect) {
        switch effect {
        case .write(let bytes, let identity): send(bytes, identity)
        case .retry(let delay): flock.schedule(.retry, for: self, after: delay)
        case .settle(let settled): driver.leave(settled)
        case .drop(let through): driver.leave(droppedThrough: through)
        }
    }

    private func send(_ bytes: [UInt8], _ identity: FlockBatch.Identity) {
        lastAttempt += 1
        attempts[lastAttempt] = identity
        let isSent = !isCut
        if isSent {
            flock.send(.init(node: index, life: life, attempt: lastAttempt, bytes: bytes, identity: identity))
        }
        // Without a connection the client says so at once, or it has not noticed yet.
        let isNoticed = !isSent && random.chance(50)
        flock.schedule(
            .timedOut(attempt: lastAttempt), for: self, after: isNoticed ? .zero : SimulatedNode.writeTimeout)
    }

    private func answered(_ attempt: Int, _ answer: FlockLog.Answer, _ place: UInt64) {
        guard let identity = attempts.removeValue(forKey: attempt) else { return }
        guard phase != .starting else {
            if answer == .stored {
                flock.schedule(
                    .load(through: place), for: self,
                    after: .milliseconds(random.integer(in: 0...flock.faults.maximumLoadMilliseconds)))
            } else {
                flock.schedule(.beginAgain, for: self, after: .milliseconds(100))
            }
            return
        }
        log.batchAnswered(identity, answer, into: &effects)
        runEffects()
        flush()
    }

    // MARK: Following

    func scheduleTail() {
        guard phase == .running, !isTailScheduled, !isCut, state.stream < flock.servers.last else { return }
        isTailScheduled = true
        let isStalled = random.chance(flock.faults.stalledTailPercent)
        let bound = isStalled ? 3_000_000 : min(maximumLag, flock.faults.maximumLagMilliseconds) * 1000
        flock.schedule(.tail, for: self, after: .microseconds(random.integer(in: 0...bound)))
    }

    private func takeNext() {
        isTailScheduled = false
        guard !isCut, phase == .running else { return }
        let place = state.stream + 1
        guard let batch = flock.batch(at: place, wallClock) else { return }
        let applied = state.apply(batch, stream: place, now: wallClock)
        guard state.isLiving(log.beginning(at: 0).identity) else { return fail() }
        for case .append(let append) in batch.records where append.message.expiryInterval != nil {
            append.message.receivedAt = flock.now
        }
        for (index, record) in batch.records.enumerated() {
            if case .claim(let client) = record, applied.claimed[index] != nil { claimPlaces[client] = place }
            for session in applied.adopted[index]?.sessions ?? [] { claimPlaces[session.clientIdentifier] = place }
        }
        log.arrived(batch, stream: place, applied, into: &effects)
        runEffects()
        flush()
        scheduleTail()
    }

    // MARK: Others

    private func beat() {
        guard phase == .running else { return }
        var writer = RecordWriter()
        writer.append(own)
        if !isCut {
            for other in flock.nodes where !random.chance(flock.faults.lostBeatPercent) && !other.isCut {
                flock.schedule(.beatHeard(writer.bytes), for: other, after: flock.drawDelay())
            }
        }
        let living = state.nodes.map { Liveness.Beat(node: $0.key.string, incarnation: $0.value.incarnation) }
        for dead in liveness.beat(living: living) {
            flock.note?("\(name) takes \(dead.node.string) for dead")
            log.submitDeath(of: dead.node.string, incarnation: dead.incarnation)
        }
        flush()
        flock.schedule(.beat, for: self, after: SimulatedNode.beatInterval)
    }

    private func heard(beat bytes: [UInt8]) {
        guard phase == .running, !isCut else { return }
        let beat = bytes.withUnsafeBytes { bytes in
            var reader = RecordReader(bytes)
            return try? reader.beat()
        }
        if let beat { liveness.heard(beat) }
    }

    private func sendBroadcasts() {
        let messages = broadcasts
        broadcasts = []
        guard !isCut, state.nodes.count > 1 else { return }
        var writer = RecordWriter()
        writer.append(wallClock)
        for message in messages { writer.append(message) }
        for other in flock.nodes where other !== self && !random.chance(flock.faults.lostBroadcastPercent) {
            let due = max(broadcastDue[other.index] ?? .zero, flock.now.advanced(by: flock.drawDelay()))
            broadcastDue[other.index] = due
            flock.schedule(.broadcastHeard(writer.bytes), for: other, at: due)
        }
    }

    private func heard(broadcast bytes: [UInt8]) {
        guard phase == .running, !isCut else { return }
        let messages = bytes.withUnsafeBytes { bytes in
            var reader = RecordReader(bytes)
            var messages: [ApplicationMessage] = []
            guard let sentAt = try? reader.number() else { return messages }
            let age = wallClock > sentAt ? (wallClock - sentAt) / 1000 : 0
            while !reader.isAtEnd, let message = try? reader.message(age: age) { messages.append(message) }
            return messages
        }
        for message in messages where message.expiryInterval != nil { message.receivedAt = flock.now }
        driver.leave(broadcast: messages)
    }
}

extension SimulatedNode: FlockAccess {
    func submit(_ command: BackboneCommand, _ token: BackboneToken, of shard: UInt16) {
        submissions.append((command, shard, token))
        scheduleFlush()
    }

    func broadcast(_ message: PeerMessage) {
        guard case .published(let entry, _, _) = message else { return }
        broadcasts.append(entry.message)
        scheduleFlush()
    }
}
