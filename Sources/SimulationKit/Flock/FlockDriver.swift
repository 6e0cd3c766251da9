package import BrokerCore
import Flock
package import MQTTModel

/// Several nodes in one thread, over a model of the servers that hold their log, in virtual time.
///
/// Each node is the production cores of its shards over the production `FlockLog`, `FlockState` and `Liveness`; what is
/// between them and the servers (`LogLink` in production) is mirrored by `SimulatedNode`.
package final class FlockDriver {
    enum Event {
        case flush
        /// The servers' answer; the place is that of a batch that is stored.
        case answered(attempt: Int, FlockLog.Answer, place: UInt64)
        case timedOut(attempt: Int)
        case retry
        case tail
        case read(Read)
        case beat
        case beatHeard([UInt8])
        case broadcastHeard([UInt8])
        case beginAgain
        case load(through: UInt64)
    }

    /// What happens and where.
    private enum Scheduled {
        /// Of one life of a node: nothing, when its process has ended meanwhile.
        case node(Int, life: Int, Event)
        case request(Request)
        case leaderReturns
        case cutEnds(Int)
        case wakes(Int)
    }

    /// A batch on its way to the servers.
    struct Request {
        let node: Int
        let life: Int
        let attempt: Int
        let bytes: [UInt8]
        let identity: FlockBatch.Identity
    }

    package private(set) var now = Instant(nanoseconds: 1_000_000_000)
    package internal(set) var nodes: [SimulatedNode] = []
    var faults: FlockFaults
    var servers = SimulatedServers()
    var random: SplitMix64
    /// Told when a node finds that it can go on no longer.
    var onFault: ((Int) -> Void)?
    /// Told of what is stored, for the digest of a run.
    var onStored: ((UInt64, [UInt8]) -> Void)?
    var note: ((String) -> Void)?
    private var scheduler = Scheduler<Scheduled>()
    private var leaderReturnsAt = Instant.zero
    private var cutEndsAt: [Instant]

    package init(
        _ nodeCount: Int, shardCount: Int = 1, options: BrokerOptions = BrokerOptions(),
        faults: FlockFaults = FlockFaults(), seed: UInt64 = 1
    ) {
        self.faults = faults
        let random = SplitMix64(seed: seed)
        self.random = random.split(1)
        cutEndsAt = Array(repeating: .zero, count: nodeCount)
        for index in 0..<nodeCount {
            let driver = CoreDriver(
                shardCount: shardCount, options: options, seed: random.split(10 + UInt64(index)).seed)
            nodes.append(
                SimulatedNode(
                    index: index, driver: driver, flock: self, random: random.split(100 + UInt64(index))))
        }
    }

    // MARK: Time

    package var nextDue: Instant? {
        var due = scheduler.nextDue ?? .distantFuture
        for node in nodes where !node.isPaused {
            due = min(due, node.driver.isCrashing ? .distantFuture : node.driver.nextDeadline ?? .distantFuture)
        }
        return due == .distantFuture ? nil : max(due, now)
    }

    package func advance(by duration: Duration) { advance(to: now.advanced(by: duration)) }

    /// Lets everything happen that is due until then.
    package func advance(to instant: Instant) {
        while let due = nextDue, due <= instant { advanceOnce(to: due) }
        setNow(instant)
    }

    /// Lets time pass to when something is due, and lets one thing happen.
    func advanceOnce(to due: Instant) {
        setNow(due)
        guard let next = scheduler.nextDue, next <= now, let (_, event) = scheduler.removeFirst() else { return }
        run(event)
    }

    func setNow(_ instant: Instant) {
        now = max(now, instant)
        for node in nodes where !node.isPaused { node.driver.advance(to: now) }
    }

    private func run(_ event: Scheduled) {
        switch event {
        case .request(let request): arrive(request)
        case .leaderReturns: servers.hasLeader = now >= leaderReturnsAt
        case .cutEnds(let index): if now >= cutEndsAt[index] { nodes[index].isCut = false }
        case .node(let index, let life, let event):
            let node = nodes[index]
            guard node.life == life else { return }
            node.receive(event)
        case .wakes(let index): nodes[index].wake()
        }
    }

    func schedule(_ event: Event, for node: SimulatedNode, after delay: Duration) {
        scheduler.insert(.node(node.index, life: node.life, event), at: now.advanced(by: delay))
    }

    func schedule(_ event: Event, for node: SimulatedNode, at due: Instant) {
        scheduler.insert(.node(node.index, life: node.life, event), at: due)
    }

    func drawDelay() -> Duration { .microseconds(random.integer(in: 0...faults.maximumDelayMilliseconds * 1000)) }

    // MARK: The servers

    func send(_ request: Request) {
        if random.chance(faults.lostRequestPercent) { return }
        let isLate = random.chance(faults.lateRequestPercent)
        let delay = isLate ? Duration.milliseconds(random.integer(in: 0...8000)) : drawDelay()
        scheduler.insert(.request(request), at: now.advanced(by: delay))
    }

    private func arrive(_ request: Request) {
        guard servers.hasLeader else {
            // Some of it waits for the leader, some is gone.
            if random.chance(50) { scheduler.insert(.request(request), at: leaderReturnsAt) }
            return
        }
        if !servers.holds(request.identity), random.chance(faults.fullPercent) {
            return answer(request, .full, place: 0)
        }
        let (place, isNew) = servers.store(request.bytes, request.identity)
        if isNew {
            note?("the servers store \(request.identity.messageID) at \(place)")
            onStored?(place, request.bytes)
            for node in nodes { node.scheduleTail() }
        }
        answer(request, .stored, place: place)
    }

    private func answer(_ request: Request, _ answer: FlockLog.Answer, place: UInt64) {
        let node = nodes[request.node]
        guard node.life == request.life, !node.isCut, !random.chance(faults.lostAnswerPercent) else { return }
        schedule(.answered(attempt: request.attempt, answer, place: place), for: node, after: drawDelay())
    }

    // MARK: What goes wrong

    /// The servers have no leader for a while.
    package func loseLeader(for duration: Duration) {
        servers.hasLeader = false
        leaderReturnsAt = max(leaderReturnsAt, now.advanced(by: duration))
        scheduler.insert(.leaderReturns, at: leaderReturnsAt)
        note?("the servers lose their leader")
    }

    /// The node reaches no server for a while.
    package func cut(_ index: Int, for duration: Duration) {
        nodes[index].isCut = true
        cutEndsAt[index] = max(cutEndsAt[index], now.advanced(by: duration))
        scheduler.insert(.cutEnds(index), at: cutEndsAt[index])
        note?("node \(index) is cut off")
    }

    /// The node's process stands still for a while.
    package func pause(_ index: Int, for duration: Duration) {
        nodes[index].pausedUntil = max(nodes[index].pausedUntil, now.advanced(by: duration))
        scheduler.insert(.wakes(index), at: nodes[index].pausedUntil)
        note?("node \(index) stands still")
    }

    /// Nothing goes wrong any more.
    package func heal() {
        faults = faults.healed
        servers.hasLeader = true
        leaderReturnsAt = now
        for node in nodes {
            cutEndsAt[node.index] = now
            node.isCut = false
            node.pausedUntil = min(node.pausedUntil, now)
            node.wake()
        }
    }
}
