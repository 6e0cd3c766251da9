import BrokerConfiguration
import BrokerTransport
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration again at SIGHUP. A bad one is told and changes nothing.
struct Reloader: Service, CustomStringConvertible {
    let server: BrokerServer
    let settings: BrokerSettings
    let logger: Logger
    let read: @Sendable () async throws(InvalidSettings) -> BrokerSettings

    init(
        server: BrokerServer, settings: BrokerSettings, logger: Logger,
        read: @escaping @Sendable () async throws(InvalidSettings) -> BrokerSettings
    ) {
        self.server = server
        self.settings = settings
        self.logger = logger
        self.read = read
    }

    /// The service group logs it: without the settings.
    var description: String { "Reloader" }

    func run() async throws {
        var inForce = settings
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            if let settings = await reload(from: inForce) { inForce = settings }
        }
    }

    /// The settings that are in force now; nil when nothing has changed.
    private func reload(from old: BrokerSettings) async -> BrokerSettings? {
        let new: BrokerSettings
        do throws(InvalidSettings) {
            new = try await read()
        } catch {
            let problems = error.problems.map(\.description).joined(separator: "; ")
            logger.error("configuration not reloaded: it is wrong", metadata: ["problems": "\(problems)"])
            return nil
        }
        do throws(ListenerError) {
            try server.reload(new.listeners)
        } catch {
            logger.error("configuration not reloaded: it is wrong", metadata: ["problems": "\(error)"])
            return nil
        }
        let difference = SettingsDifference(from: old, to: new)
        logger.notice(
            "configuration reloaded",
            metadata: ["changed": "\(difference.applied.joined(separator: ", "))", "certificates": "read again"])
        if !difference.needsRestart.isEmpty {
            logger.warning(
                "changes that need a restart of the broker",
                metadata: ["keys": "\(difference.needsRestart.joined(separator: ", "))"])
        }
        return new
    }
}
