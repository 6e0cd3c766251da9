package import BrokerConfiguration
package import BrokerTransport
import Foundation
import Hummingbird
import HummingbirdCore
package import Logging
import MQTTModel
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TransportModel

/// The administration of a broker over HTTP, as a service: health, metrics, and what `dunlin ctl` asks for. On a thread of
/// its own, so that it answers whatever the event loops of the broker do.
package final class AdminService: Service, Sendable {
    private let options: AdminOptions
    private let addresses: [AdminAddress]
    private let routes: AdminRoutes
    private let token: AdminToken?
    private let logger: Logger
    private let bound: BoundAddresses

    /// - Throws: when the token cannot be read.
    package init(
        _ settings: BrokerSettings, server: BrokerServer, bans: BanStore, actions: AdminActions, nodeName: String,
        version: String,
        logger: Logger
    ) throws(AdminFailure) {
        options = settings.admin
        addresses = settings.adminListeners
        token = try settings.admin.tokenFile.map { path throws(AdminFailure) in try AdminToken(contentsOfFile: path) }
        self.logger = logger
        // So that the start is the start.
        _ = ProcessFigures.startTime
        bound = BoundAddresses(count: addresses.count)
        routes = AdminRoutes(
            server: server, bans: bans, actions: actions, options: options, nodeName: nodeName, version: version,
            logger: logger)
    }

    /// Answers until graceful shutdown or cancellation.
    ///
    /// - Throws: `AdminFailure` when an address cannot be listened on.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for address in addresses { tasks.addTask { try await self.serve(address, on: group) } }
                try await tasks.waitForAll()
            }
        } catch {
            bound.fail(error)
            try? await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    /// Where it answers, once it does; the port that the system chose in place of 0.
    package func boundAddresses() async throws -> [AdminAddress] { try await bound.all() }

    private func serve(_ address: AdminAddress, on group: any EventLoopGroup) async throws {
        if case .unix(let path) = address { try AdminSocket.removeStale(at: path) }
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            responder: TimedResponder(
                base: routes.router(guardedBy: guarding(address)).buildResponder(), timeout: options.requestTimeout),
            server: .http1(
                configuration: .init(
                    idleTimeout: .nanoseconds(Int64(clamping: options.idleTimeout.wholeNanoseconds)),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: options.maximumRequestSize, maxHeaderListSize: options.maximumRequestSize,
                        maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: bindAddress(address), serverName: "Dunlin",
                availableConnectionsDelegate: MaximumAvailableConnections(options.maximumConnections, logger: quiet)),
            onServerRunning: { channel in self.began(address, channel) },
            eventLoopGroupProvider: .shared(group), logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError {
            let reason = String(cString: strerror(error.errnoCode))
            throw AdminFailure("cannot listen on \(address) for the administration: \(reason)")
        }
        if case .unix(let path) = address { AdminSocket.remove(path) }
    }

    private func guarding(_ address: AdminAddress) -> AccessMiddleware.Guarding {
        if case .unix = address { .fileSystem } else { .token(token) }
    }

    private func bindAddress(_ address: AdminAddress) -> BindAddress {
        switch address {
        case .network(let address): .hostname(address.host, port: address.port)
        case .unix(let path): .unixDomainSocket(path: path)
        }
    }

    private func began(_ address: AdminAddress, _ channel: any Channel) {
        var actual = address
        switch address {
        case .network(let wanted):
            let local = channel.localAddress
            actual = .network(
                ListenAddress(host: local?.ipAddress ?? wanted.host, port: local?.port ?? wanted.port))
        case .unix(let path): AdminSocket.restrict(path)
        }
        logger.info("administration", metadata: ["address": "\(actual)"])
        bound.add(actual)
    }
}

/// Where the service listens, for whoever waits for it.
private final class BoundAddresses: Sendable {
    private struct State {
        var addresses: [AdminAddress] = []
        var failure: (any Error)?
        var waiting: [CheckedContinuation<[AdminAddress], any Error>] = []
    }

    private let count: Int
    private let state = Mutex(State())

    init(count: Int) { self.count = count }

    func add(_ address: AdminAddress) {
        let complete: State? = state.withLock { state in
            state.addresses.append(address)
            guard state.addresses.count == count else { return nil }
            defer { state.waiting = [] }
            return state
        }
        guard let complete else { return }
        for continuation in complete.waiting { continuation.resume(returning: complete.addresses) }
    }

    func fail(_ error: any Error) {
        let waiting = state.withLock { state in
            state.failure = error
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(throwing: error) }
    }

    func all() async throws -> [AdminAddress] {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<[AdminAddress], any Error>? = state.withLock { state in
                if let failure = state.failure { return .failure(failure) }
                if state.addresses.count == count { return .success(state.addresses) }
                state.waiting.append(continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
