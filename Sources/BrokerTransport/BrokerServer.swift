package import AccessControl
import BrokerCore
package import BrokerRuntime
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The broker as a service: listeners, and a shard on each event loop.
package final class BrokerServer: Service, Sendable {
    private enum State {
        /// Can go to every other.
        case starting(waiting: [CheckedContinuation<[BrokerServerConfiguration.Listener], any Error>])
        case serving(addresses: [BrokerServerConfiguration.Listener], shards: [TCPShard])
        case failed(any Error)
    }

    private let configuration: BrokerServerConfiguration
    private let logger: Logger
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
            authenticator: configuration.authenticator, logger: logger)
        let shards = TCPShard.makeAll(for: allShards)
        let channels: [any Channel]
        do {
            try backbone.start(allShards)
            channels = try await bindAll(shards)
        } catch {
            fail(error)
            backbone.stop()
            try? await group.shutdownGracefully()
            throw error
        }
        let addresses = channels.compactMap { $0.localAddress }.map { Self.listener(at: $0) }
        logger.info(
            "serving",
            metadata: [
                "listeners": "\(addresses.map(\.description).joined(separator: " "))", "shards": "\(shardCount)",
                "openFiles": "\(openFiles)",
            ])
        serve(addresses, shards)
        await withGracefulShutdownHandler {
            for await _ in shutdownRequests {}
        } onGracefulShutdown: {
            self.requestShutdown()
        }
        await shutDown(channels, shards)
        backbone.stop()
        try await group.shutdownGracefully()
    }

    /// The addresses that are listened on, in the order of the configuration, once they are bound.
    ///
    /// - Throws: what `run` throws when a listener cannot be bound.
    package func boundAddresses() async throws -> [BrokerServerConfiguration.Listener] {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<[BrokerServerConfiguration.Listener], any Error>? = state.withLock { state in
                switch state {
                case .starting(let waiting):
                    state = .starting(waiting: waiting + [continuation])
                    return nil
                case .serving(let addresses, _): return .success(addresses)
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
        let shards: [TCPShard] = state.withLock { state in
            if case .serving(_, let shards) = state { shards } else { [] }
        }
        var metrics: [ShardMetrics] = []
        for one in shards { metrics.append(try await one.shard.loop.submit { one.shard.metrics }.get()) }
        return metrics
    }

    /// Another policy holds from now on; subscriptions that it does not allow end. Nothing happens while the broker is not
    /// serving.
    package func accessChanged(to policy: AccessPolicy) {
        let shards: [TCPShard] = state.withLock { state in
            if case .serving(_, let shards) = state { shards } else { [] }
        }
        for one in shards { one.shard.loop.execute { one.shard.accessChanged(to: policy) } }
    }

    // MARK: Start

    private func bindAll(_ shards: [TCPShard]) async throws -> [any Channel] {
        var channels: [any Channel] = []
        do {
            for listener in configuration.listeners {
                channels += try await bind(listener, on: shards[channels.count % shards.count])
            }
            return channels
        } catch {
            for channel in channels { try? await channel.close() }
            throw error
        }
    }

    /// Binds every address of the listener. Of a name that has several, those that this machine has not are left out.
    private func bind(_ listener: BrokerServerConfiguration.Listener, on shard: TCPShard) async throws -> [any Channel]
    {
        var channels: [any Channel] = []
        var failure: ListenerError?
        for address in try AddressResolver.addresses(of: listener) {
            do {
                channels.append(try await shard.listen(on: address))
            } catch let error as IOError where ListenerError.isAbsentAddress(error) {
                failure = ListenerError(listener: listener, cause: error)
            } catch {
                for channel in channels { try? await channel.close() }
                throw ListenerError(listener: listener, cause: error)
            }
        }
        if channels.isEmpty { throw failure ?? ListenerError(listener: listener, reason: "the name has no address") }
        return channels
    }

    private static func listener(at address: SocketAddress) -> BrokerServerConfiguration.Listener {
        BrokerServerConfiguration.Listener(host: address.ipAddress ?? "", port: address.port ?? 0)
    }

    private func serve(_ addresses: [BrokerServerConfiguration.Listener], _ shards: [TCPShard]) {
        resolve(.serving(addresses: addresses, shards: shards), with: .success(addresses))
    }

    private func fail(_ error: any Error) { resolve(.failed(error), with: .failure(error)) }

    private func resolve(
        _ newState: consuming State, with result: Result<[BrokerServerConfiguration.Listener], any Error>
    ) {
        let waiting = state.withLock { state in
            guard case .starting(let waiting) = state else { preconditionFailure("a server runs once") }
            state = newState
            return waiting
        }
        for continuation in waiting { continuation.resume(with: result) }
    }

    // MARK: End

    private func shutDown(_ channels: [any Channel], _ shards: [TCPShard]) async {
        logger.info("shutting down")
        for channel in channels { try? await channel.close() }
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
