package import Backbone
import Flock
package import MQTTModel
import NIOCore
import NIOPosix
import Synchronization

/// The engine of a flock: one stream of NATS JetStream, replicated by the servers, is the log of all nodes.
///
/// What decides is in `FlockLog` and `FlockState`; this is how they come to the network.
package final class NATSBackbone: BackboneEngine {
    private let eventLoop: any EventLoop
    private let group: MultiThreadedEventLoopGroup
    let link: LogLink
    /// On their way to the loop; nil once it has stopped.
    private let submitted = Mutex<[Submission]?>([])
    private let counts = Mutex(Counts())
    private let broadcasts = Mutex(Broadcasts())
    private let maximumBroadcastBytes: Int

    private struct Counts {
        var submitted: UInt64 = 0
        var answered: UInt64 = 0
    }

    /// Messages on their way to the loop.
    private struct Broadcasts {
        var messages: [ApplicationMessage] = []
        var bytes = 0
        var dropped: UInt64 = 0
        /// The loop has stopped.
        var isOver = false
    }

    /// - Parameters:
    ///   - incarnation: a number that no earlier start of the node had.
    ///   - wallClock: milliseconds since 1970.
    ///   - onFault: called once, when the node can go on no longer; nothing is settled from then on.
    package init(
        options: FlockOptions, shardCount: Int, incarnation: UInt64, wallClock: @escaping @Sendable () -> UInt64,
        onFault: @escaping @Sendable (FlockError) -> Void
    ) {
        maximumBroadcastBytes = options.maximumBroadcastBytes
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        eventLoop = group.next()
        let log = FlockLog(
            node: options.node, incarnation: incarnation, shardCount: shardCount, options: options.log)
        link = LogLink(options: options, log: log, eventLoop: eventLoop, wallClock: wallClock, onFault: onFault)
    }

    package func restore(
        session: (RestoredSession) -> Void, retained: (ApplicationMessage, RetainedPosition) -> Void,
        entry: (LogEntry, [SharedGroup]) -> Void
    ) throws {
        let found = try wait { link, promise in link.begin(promise) { try await $0.load() } }
        for one in found.own.sessions { session(one) }
        for one in found.retained { retained(one.message, one.position) }
        for one in found.own.entries { entry(one, []) }
    }

    package func start(
        onCommit: @escaping @Sendable ([Settled]) -> Void, onDropped: @escaping @Sendable (LogSequence) -> Void
    ) throws {
        try wait { link, promise in
            link.begin(promise) { link in
                try await link.follow(
                    onCommit: { settled in
                        self.counts.withLock { $0.answered += UInt64(settled.count { !$0.isTold }) }
                        onCommit(settled)
                    }, onDropped: onDropped)
            }
        }
    }

    package func submit(_ command: BackboneCommand, submitter: UInt16, token: BackboneToken) {
        counts.withLock { $0.submitted += 1 }
        let isFirst = submitted.withLock { submitted in
            submitted?.append(Submission(command: command, submitter: submitter, token: token))
            return submitted?.count == 1
        }
        guard isFirst else { return }
        eventLoop.execute { [self] in
            let taken = submitted.withLock { submitted in
                defer { if submitted != nil { submitted = [] } }
                return submitted ?? []
            }
            link.assumeIsolated { $0.submit(taken) }
        }
    }

    package var report: EngineReport {
        var report = EngineReport(engine: "nats")
        let counts = counts.withLock { $0 }
        report.pendingCommands = Int(counts.submitted - counts.answered)
        report.answeredCommands = counts.answered
        report.silence = link.silence.length(at: .now())
        let dropped = broadcasts.withLock { $0.dropped }
        let board = link.board.current
        report.keptMessages = board.log.keptMessages
        report.keptBytes = Int(clamping: board.log.heldBytes)
        report.figures =
            board.figures + [
                .init(
                    "broadcasts_dropped_total", .counter,
                    "QoS 0 messages for other nodes that found no room on their way.", Double(dropped))
            ]
        return report
    }

    package var isShared: Bool { true }

    package func broadcast(_ message: ApplicationMessage) {
        let isFirst = broadcasts.withLock { broadcasts in
            guard !broadcasts.isOver, broadcasts.bytes < maximumBroadcastBytes else {
                broadcasts.dropped += 1
                return false
            }
            broadcasts.messages.append(message)
            broadcasts.bytes += message.byteCount + 64
            return broadcasts.messages.count == 1
        }
        guard isFirst else { return }
        eventLoop.execute { [self] in
            let taken = broadcasts.withLock { broadcasts in
                broadcasts.bytes = 0
                return exchange(&broadcasts.messages, with: [])
            }
            link.assumeIsolated { $0.broadcast(taken) }
        }
    }

    package func onBroadcast(_ handler: @escaping @Sendable ([Broadcast]) -> Void) {
        eventLoop.execute { [link] in link.assumeIsolated { $0.onBroadcast = handler } }
    }

    package func stop() {
        try? wait { link, promise in link.stop { promise.succeed(()) } }
        submitted.withLock { $0 = nil }
        broadcasts.withLock { $0.isOver = true }
        try? group.syncShutdownGracefully()
    }

    /// Waits for what the link does on its loop, for callers that may not go on without it. Neither on the
    /// loop nor on a thread that tasks run on.
    private func wait<Value: Sendable>(
        _ body: @escaping @Sendable (isolated LogLink, EventLoopPromise<Value>) -> Void
    ) throws -> Value {
        let promise = eventLoop.makePromise(of: Value.self)
        eventLoop.execute { [link] in link.assumeIsolated { body($0, promise) } }
        return try promise.futureResult.wait()
    }
}

extension LogLink {
    /// Does something that waits.
    func begin<Value: Sendable>(
        _ promise: EventLoopPromise<Value>, _ body: @escaping @Sendable (isolated LogLink) async throws -> Value
    ) {
        Task {
            do { promise.succeed(try await body(self)) } catch { promise.fail(error) }
        }
    }
}
