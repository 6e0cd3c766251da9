package import Logging
package import MQTTBridge
import NIOCore
import ServiceLifecycle
package import TransportModel

/// A bridge of the broker as a service: it comes up when the broker listens, and comes back by itself whenever the link
/// was down.
package final class BridgeService: Service, Sendable, CustomStringConvertible {
    private let options: BridgeOptions
    private let files: BridgeFiles
    private let listeners: @Sendable () async throws -> [Listener]
    private let logger: Logger

    /// - Parameter listeners: where the local broker listens, once it does.
    package init(
        options: BridgeOptions, files: BridgeFiles, logger: Logger,
        listeners: @escaping @Sendable () async throws -> [Listener]
    ) {
        self.options = options
        self.files = files
        self.listeners = listeners
        var logger = logger
        logger[metadataKey: "bridge"] = "\(options.name)"
        self.logger = logger
    }

    /// The service group logs it: without the options, which hold a user name.
    package var description: String { "BridgeService(\(options.name))" }

    /// Runs until graceful shutdown.
    package func run() async throws {
        // A broker that does not come up says why itself.
        guard let listeners = try? await listeners(), let address = Self.door(among: listeners) else {
            return try await gracefulShutdown()
        }
        let driver = BridgeDriver(options: options, files: files, localAddress: address, logger: logger)
        await driver.start()
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await driver.stopped.futureResult.get()
            } onGracefulShutdown: {
                Task { await driver.stop() }
            }
        } onCancel: {
            Task { await driver.stop() }
        }
    }

    /// The listener that a bridge of the same process comes in by: plain TCP or a Unix socket, without a proxy before it.
    package static func door(among listeners: [Listener]) -> ListenAddress? {
        guard let listener = listeners.first(where: { !$0.hasPreamble }) else { return nil }
        var address = listener.address
        if case .network(let host, let port) = address.endpoint {
            let loopback = ["0.0.0.0": "127.0.0.1", "::": "::1"]
            address.endpoint = .network(host: loopback[host] ?? host, port: port)
        }
        return address
    }
}
