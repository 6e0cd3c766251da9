package import Logging
import MQTTBridge
import NIOCore
import ServiceLifecycle
package import TransportModel

/// The bridges of a broker as a service: they come up when the broker listens, come back by themselves whenever a link was
/// down, and can be exchanged while it runs.
package actor BridgeService: Service, CustomStringConvertible {
    private let listeners: @Sendable () async throws -> [Listener]
    private let logger: Logger
    /// What bridges are called without a `local-name`. The same in all of them: what comes back by another bridge has been
    /// here.
    private let localName = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    /// What there has to be, in the order of the file.
    private var wanted: [BridgeFiles]
    private var running: [String: (files: BridgeFiles, driver: BridgeDriver)] = [:]
    /// Where bridges come in; nil before the broker listens and after the end.
    private var door: ListenAddress?

    /// - Parameters:
    ///   - bridges: each with what its files hold.
    ///   - listeners: where the local broker listens, once it does.
    package init(
        _ bridges: [BridgeFiles], logger: Logger, listeners: @escaping @Sendable () async throws -> [Listener]
    ) {
        wanted = bridges
        self.listeners = listeners
        self.logger = logger
    }

    /// The service group logs it: without the options, which hold user names.
    package nonisolated var description: String { "BridgeService" }

    /// Runs until graceful shutdown.
    package func run() async throws {
        // A broker that does not come up says why itself.
        if let listeners = try? await listeners() { door = Self.door(among: listeners) }
        await apply()
        try? await gracefulShutdown()
        door = nil
        wanted = []
        await apply()
    }

    /// These are the bridges from now on: those that are others than before are restarted, the rest is left alone.
    package func change(to bridges: [BridgeFiles]) async {
        wanted = bridges
        await apply()
    }

    private func apply() async {
        for (name, bridge) in running.sorted(by: { $0.key < $1.key }) where !wanted.contains(bridge.files) {
            running[name] = nil
            await bridge.driver.stop()
            try? await bridge.driver.stopped.futureResult.get()
        }
        guard let door else { return }
        for files in wanted where running[files.options.name] == nil {
            var options = files.options
            if options.localName == nil { options.localName = localName }
            var logger = logger
            logger[metadataKey: "bridge"] = "\(options.name)"
            let driver = BridgeDriver(options: options, files: files, localAddress: door, logger: logger)
            running[options.name] = (files, driver)
            await driver.start()
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
