package import AccessControl
import Backbone
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

    let configuration: BrokerServerConfiguration
    let logger: Logger
    /// Who may not connect.
    package let bans = BanList()
    let operatorState = OperatorState()
    private let state = Mutex(State.starting(waiting: []))
    private let isEnding = Mutex(false)
    /// The policy that holds since it was changed; nil: that of the configuration.
    private let policy = Mutex<AccessPolicy?>(nil)
    private let requests: AsyncStream<Request>
    private let request: AsyncStream<Request>.Continuation

    private enum Request {
        case beginning
    }

    package init(configuration: BrokerServerConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        (requests, request) = AsyncStream.makeStream()
    }

    /// Binds all listeners, serves until graceful shutdown, cancellation or `requestShutdown`, tells the clients, and
    /// returns when all connections are closed or `Limits.shutdownTimeout` is over. Called once.
    ///
    /// - Throws: `ListenerError` when a listener cannot be bound, what the engine throws when what it kept cannot be read;
    ///   nothing is served then.
    package func run() async throws {
        try await withGracefulShutdownHandler {
            try await serveUntilShutdown()
        } onGracefulShutdown: {
            self.requestShutdown()
        }
    }

    private func serveUntilShutdown() async throws {
        var requests = requests.makeAsyncIterator()
        var engine = configuration.engine
        var listeners = configuration.listeners
        var isFirst = true
        while true {
            do {
                let life = try await begin(engine, listeners)
                isFirst = false
                let isEnd = await requests.next() == nil
                if isEnd { operatorState.beginShutdown() } else { operatorState.beginAnew() }
                listeners = life.listeners
                try await end(life, isEnd ? .failed(HasEnded()) : .starting(waiting: []))
                if isEnd { return }
            } catch {
                guard !isFirst, let renewal = configuration.renewal, renewal.isWorthWaiting(error) else {
                    fail(error)
                    throw error
                }
                logger.error("the node cannot begin anew yet", metadata: ["reason": "\(error)"])
                try? await Task.sleep(for: BrokerServer.timeBetweenBeginnings)
                if isEnding.withLock({ $0 }) || Task.isCancelled { return fail(HasEnded()) }
            }
            guard let renewal = configuration.renewal else { return fail(HasEnded()) }
            engine = renewal.engine()
        }
    }

    private static let timeBetweenBeginnings = Duration.seconds(1)

    /// From the restored state to the end of the engine. A broker that begins anew has several, one after another.
    private struct Life {
        let group: MultiThreadedEventLoopGroup
        let backbone: SharedBackbone
        let allShards: [Shard]
        let shards: [TransportShard]
        let serving: [ServingListener]
        let bound: [BoundListener]
        let watches: [Task<Void, Never>]

        /// To listen on in the next one: with their present options, and the ports that the system chose.
        var listeners: [Listener] {
            serving.map { one in
                var listener = one.listener
                listener.options = one.options
                if case .network(let host, 0) = listener.address.endpoint,
                    let port = bound.first(where: { $0.serving === one })?.listener.port
                {
                    listener.address.endpoint = .network(host: host, port: port)
                }
                return listener
            }
        }
    }

    private func begin(_ engine: (any BackboneEngine)?, _ wanted: [Listener]) async throws -> Life {
        let openFiles = ProcessLimits.raiseOpenFiles()
        let shardCount = configuration.effectiveShardCount
        let group = MultiThreadedEventLoopGroup(numberOfThreads: shardCount)
        let backbone = SharedBackbone(engine: engine)
        var options = configuration.options
        if let policy = policy.withLock({ $0 }) { options.access = policy }
        let allShards = Shard.makeAll(
            loops: Array(group.makeIterator()), options: options, backbone: backbone,
            authenticator: configuration.authenticator, bans: bans, logger: logger)
        let redirection = operatorState.redirection
        for shard in allShards { shard.loop.execute { shard.redirectClients(redirection) } }
        let shards = TransportShard.makeAll(for: allShards)
        let listeners: [ServingListener]
        let bound: [BoundListener]
        do {
            listeners = try wanted.map { try serving($0) }
            backbone.onOrder { [weak self] order in
                await self?.obey(order) ?? .refused("the broker has ended")
            }
            // It waits for a disk, or for servers: not on a thread that tasks run on.
            try await NIOThreadPool.singleton.runIfActive { try backbone.start(allShards) }
            bound = try await bindAll(listeners, shards, group)
        } catch {
            backbone.stop()
            try? await group.shutdownGracefully()
            Shard.forget(allShards)
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
            OperatorState.Serving(shards: allShards, backbone: backbone))
        resolve(
            .serving(addresses: addresses, shards: shards, listeners: listeners), with: .success(addresses))
        return Life(
            group: group, backbone: backbone, allShards: allShards, shards: shards, serving: listeners, bound: bound,
            watches: [
                Task { await publishStatus(every: configuration.options.statusInterval) },
                watchMemory(for: allShards), watchIsolation(of: backbone, allShards),
                Task { await announce(to: backbone) },
            ])
    }

    private func end(_ life: Life, _ next: consuming State) async throws {
        for watch in life.watches { watch.cancel() }
        await shutDown(life.bound, life.shards)
        for watch in life.watches { await watch.value }
        life.backbone.stop()
        state.withLock { $0 = next }
        operatorState.ended()
        try await Shard.endMail(between: life.allShards)
        try await life.group.shutdownGracefully()
        Shard.forget(life.allShards)
        for one in life.shards { one.forgetOthers() }
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
    package func requestShutdown() {
        isEnding.withLock { $0 = true }
        request.finish()
    }

    /// Ends everything as at shutdown, and begins anew with another engine (`EngineRenewal`). From any thread.
    package func requestBeginning() { request.yield(.beginning) }

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
        self.policy.withLock { $0 = policy }
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

    private func watchIsolation(of backbone: SharedBackbone, _ shards: [Shard]) -> Task<Void, Never> {
        var watch = IsolationWatch(configuration.options.limits, backbone, shards, logger: logger)
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
            guard case .starting(let waiting) = state else { preconditionFailure("a server begins after its end") }
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
