package import AccessControl
import BrokerCore
package import BrokerRuntime
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
package import TransportModel

/// The broker as a service: listeners, and a shard on each event loop.
package final class BrokerServer: Service, Sendable {
    private enum State {
        /// Can go to every other.
        case starting(waiting: [CheckedContinuation<[Listener], any Error>])
        case serving(addresses: [Listener], shards: [TransportShard], listeners: [ServingListener])
        case failed(any Error)
    }

    /// The broker has served, and does not any more.
    private struct HasEnded: Error {}

    private let configuration: BrokerServerConfiguration
    let logger: Logger
    /// Who may not connect.
    package let bans = BanList()
    let operatorState = OperatorState()
    private let state = Mutex(State.starting(waiting: []))
    private let shutdownRequests: AsyncStream<Void>
    private let shutdownRequest: AsyncStream<Void>.Continuation

    package init(configuration: BrokerServerConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        (shutdownRequests, shutdownRequest) = AsyncStream.makeStream()
    }

    /// Binds all listeners, serves until graceful shutdown, cancellation or `requestShutdown`, tells the clients, and
    /// returns when all connections are closed or `Limits.shutdownTimeout` is over. Called once.
    ///
    /// - Throws: `ListenerError` when a listener cannot be bound, what the engine throws when what it kept cannot be read;
    ///   nothing is served then.
    package func run() async throws {
        let openFiles = ProcessLimits.raiseOpenFiles()
        let shardCount = configuration.effectiveShardCount
        let group = MultiThreadedEventLoopGroup(numberOfThreads: shardCount)
        let backbone = SharedBackbone(engine: configuration.engine)
        let allShards = Shard.makeAll(
            loops: Array(group.makeIterator()), options: configuration.options, backbone: backbone,
            authenticator: configuration.authenticator, bans: bans, logger: logger)
        let shards = TransportShard.makeAll(for: allShards)
        let listeners: [ServingListener]
        let bound: [BoundListener]
        do {
            listeners = try configuration.listeners.map { try serving($0) }
            // It waits for a disk, or for servers: not on a thread that tasks run on.
            try await NIOThreadPool.singleton.runIfActive { try backbone.start(allShards) }
            bound = try await bindAll(listeners, shards, group)
        } catch {
            fail(error)
            backbone.stop()
            try? await group.shutdownGracefully()
            throw error
        }
        let addresses = bound.map(\.listener)
        logger.info(
            "serving",
            metadata: [
                "listeners": "\(addresses.map(\.description).joined(separator: " "))", "shards": "\(shardCount)",
                "openFiles": "\(openFiles)",
            ])
        operatorState.began(
            OperatorState.Serving(shards: allShards, backbone: backbone) {
                for one in bound { await one.close() }
            })
        resolve(
            .serving(addresses: addresses, shards: shards, listeners: listeners), with: .success(addresses))
        let status = Task { await publishStatus(every: configuration.options.statusInterval) }
        let memoryWatch = watchMemory(for: allShards)
        await withGracefulShutdownHandler {
            for await _ in shutdownRequests {}
        } onGracefulShutdown: {
            self.requestShutdown()
        }
        status.cancel()
        operatorState.beginShutdown()
        await shutDown(bound, shards)
        memoryWatch.cancel()
        await memoryWatch.value
        backbone.stop()
        state.withLock { $0 = .failed(HasEnded()) }
        operatorState.ended()
        try await Shard.endMail(between: allShards)
        try await group.shutdownGracefully()
    }

    /// The addresses that are listened on, in the order of the configuration, once they are bound.
    ///
    /// - Throws: what `run` throws when a listener cannot be bound.
    package func boundAddresses() async throws -> [Listener] {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<[Listener], any Error>? = state.withLock { state in
                switch state {
                case .starting(let waiting):
                    state = .starting(waiting: waiting + [continuation])
                    return nil
                case .serving(let addresses, _, _): return .success(addresses)
                case .failed(let error): return .failure(error)
                }
            }
            if let result { continuation.resume(with: result) }
        }
    }

    /// Begins the shutdown that graceful shutdown of the service group begins, too. Safe from any thread, any number
    /// of times.
    package func requestShutdown() { shutdownRequest.finish() }

    /// The counters of every shard; empty while the broker is not serving.
    package func metrics() async throws -> [ShardMetrics] {
        let shards: [TransportShard] = state.withLock { state in
            if case .serving(_, let shards, _) = state { shards } else { [] }
        }
        var metrics: [ShardMetrics] = []
        for one in shards { metrics.append(try await one.shard.loop.submit { one.shard.metrics }.get()) }
        return metrics
    }

    /// Another policy holds from now on; subscriptions that it does not allow end. Nothing happens while the broker is not
    /// serving.
    package func accessChanged(to policy: AccessPolicy) {
        let shards: [TransportShard] = state.withLock { state in
            if case .serving(_, let shards, _) = state { shards } else { [] }
        }
        for one in shards { one.shard.loop.execute { one.shard.accessChanged(to: policy) } }
    }

    /// Lets new connections meet these listeners' options, and the files that they name as they are now. Listeners are
    /// found again by name or, without one, by address; others are left alone. Connections that are there stay.
    ///
    /// - Throws: `ListenerError` when a file will not do; nothing has changed then.
    package func reload(_ listeners: [Listener]) throws(ListenerError) {
        let serving: [ServingListener] = state.withLock { state in
            if case .serving(_, _, let serving) = state { serving } else { [] }
        }
        var changes: [(serving: ServingListener, options: ListenerOptions, context: TLSContext?)] = []
        for one in serving {
            let isSame = { (other: Listener) in
                one.listener.name == other.name && (other.name != nil || one.listener.address == other.address)
            }
            guard let listener = listeners.first(where: isSame) else { continue }
            do throws(TLSContext.Problem) {
                let context = try ServingListener.context(for: one.listener.address, listener.options)
                changes.append((one, listener.options, context))
            } catch {
                throw ListenerError(listener: listener, reason: error.description)
            }
        }
        for change in changes { change.serving.reload(change.options, change.context) }
    }

    /// What each listener has counted that counts, because it has limits or something comes before MQTT; in the order of the
    /// configuration, and empty while the broker is not serving.
    package func listenerCounts() -> [(listener: String, counts: ListenerCounts)] {
        state.withLock { state in
            guard case .serving(_, _, let listeners) = state else { return [] }
            return listeners.filter { $0.listener.hasPreamble || $0.gate.isCounting }
                .map { ($0.name, $0.gate.counts) }
        }
    }

    // MARK: Start

    private func watchMemory(for shards: [Shard]) -> Task<Void, Never> {
        let limits = configuration.options.limits
        var watch = MemoryWatch(limits, used: configuration.usedMemory, shards: shards, logger: logger)
        return Task { await watch.run() }
    }

    private func serving(_ listener: Listener) throws(ListenerError) -> ServingListener {
        do throws(TLSContext.Problem) {
            return try ServingListener(listener)
        } catch {
            throw ListenerError(listener: listener, reason: error.description)
        }
    }

    private func bindAll(
        _ listeners: [ServingListener], _ shards: [TransportShard], _ group: any EventLoopGroup
    ) async throws -> [BoundListener] {
        var bound: [BoundListener] = []
        do {
            for serving in listeners {
                bound += try await bind(serving, on: shards[bound.count % shards.count], group)
            }
            return bound
        } catch {
            for one in bound { await one.close() }
            throw error
        }
    }

    /// Binds every address of the listener. Of a name that has several, those that this machine has not are left out.
    private func bind(
        _ serving: ServingListener, on shard: TransportShard, _ group: any EventLoopGroup
    ) async throws -> [BoundListener] {
        let listener = serving.listener
        var bound: [BoundListener] = []
        var failure: ListenerError?
        try UnixSocketFile.removeStale(for: listener)
        for address in try AddressResolver.addresses(of: listener) {
            do {
                let channel = try await shard.listen(on: address, as: serving, group)
                bound.append(BoundListener(serving: serving, channel: channel))
            } catch let error as IOError where ListenerError.isAbsentAddress(error) {
                failure = ListenerError(listener: listener, cause: error)
            } catch {
                for one in bound { await one.close() }
                throw ListenerError(listener: listener, cause: error)
            }
        }
        if bound.isEmpty { throw failure ?? ListenerError(listener: listener, reason: "the name has no address") }
        return bound
    }

    private func fail(_ error: any Error) { resolve(.failed(error), with: .failure(error)) }

    private func resolve(
        _ newState: consuming State, with result: Result<[Listener], any Error>
    ) {
        let waiting = state.withLock { state in
            guard case .starting(let waiting) = state else { preconditionFailure("a server runs once") }
            state = newState
            return waiting
        }
        for continuation in waiting { continuation.resume(with: result) }
    }

    // MARK: End

    private func shutDown(_ bound: [BoundListener], _ shards: [TransportShard]) async {
        logger.info("shutting down")
        for one in bound { await one.close() }
        await withTaskGroup(of: Void.self) { group in
            for one in shards {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        one.shard.loop.execute { one.shard.shutDown { continuation.resume() } }
                    }
                }
            }
        }
    }
}
