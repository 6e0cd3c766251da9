import BridgeRuntime
import BrokerConfiguration
import BrokerTransport
import Logging
import ServiceLifecycle
import UnixSignals

/// Reads the configuration and every file that it names again, at SIGHUP or when asked. One wrong thing, and nothing
/// changes.
actor Reloader: Service, CustomStringConvertible {
    private let server: BrokerServer
    private let access: AccessSetup?
    private let bridges: BridgeService
    private let output: LogOutput
    private let logger: Logger
    private let read: @Sendable () async throws(InvalidSettings) -> BrokerSettings
    private var inForce: BrokerSettings
    /// The reload that was asked for last.
    private var latest: Task<Result<Reload, InvalidSettings>, Never>?

    /// What came of a reload.
    struct Reload {
        /// What holds now, and what would after a restart.
        let difference: SettingsDifference
        /// Clients that were disconnected, because what they were let in for is gone.
        let disconnected: Int
    }

    /// - Parameter settings: what the broker was started with.
    init(
        server: BrokerServer, settings: BrokerSettings, access: AccessSetup?, bridges: BridgeService,
        output: LogOutput, logger: Logger,
        read: @escaping @Sendable () async throws(InvalidSettings) -> BrokerSettings
    ) {
        self.server = server
        self.inForce = settings
        self.access = access
        self.bridges = bridges
        self.output = output
        self.logger = logger
        self.read = read
    }

    /// The service group logs it: without the settings.
    nonisolated var description: String { "Reloader" }

    func run() async throws {
        for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
            // What is wrong is in the log.
            _ = try? await reload()
        }
    }

    /// One reload after another.
    ///
    /// - Throws: everything that is wrong; what held before holds then.
    func reload() async throws(InvalidSettings) -> Reload {
        let earlier = latest
        let task = Task {
            _ = await earlier?.value
            return await self.reloadNow()
        }
        latest = task
        return try await task.value.get()
    }

    private func reloadNow() async -> Result<Reload, InvalidSettings> {
        do throws(InvalidSettings) {
            let difference = SettingsDifference(from: inForce, to: try await read())
            let files = try await access?.read(difference.inForce)
            let bridgeFiles = try difference.inForce.bridgeFiles()
            do throws(ListenerError) {
                try server.reload(difference.inForce.listeners)
            } catch {
                throw InvalidSettings([SettingsProblem(key: "listeners", text: "\(error)")])
            }
            if let access, let files { access.use(files, telling: server) }
            if let level = Logger.Level(rawValue: difference.inForce.logLevel.rawValue) { output.level = level }
            await bridges.change(to: bridgeFiles)
            inForce = difference.inForce
            // Fails only while the broker ends, and with it everybody's connection.
            let disconnected = (try? await server.disconnectRevoked()) ?? 0
            tell(difference, disconnected)
            return .success(Reload(difference: difference, disconnected: disconnected))
        } catch {
            let problems = error.problems.map(\.description).joined(separator: "; ")
            logger.error("configuration not reloaded: it is wrong", metadata: ["problems": "\(problems)"])
            return .failure(error)
        }
    }

    private func tell(_ difference: SettingsDifference, _ disconnected: Int) {
        logger.notice(
            "configuration reloaded",
            metadata: [
                "changed": "\(difference.applied.joined(separator: ", "))", "files": "read again",
                "disconnected": "\(disconnected)",
            ])
        if !difference.needsRestart.isEmpty {
            logger.warning(
                "changes that need a restart of the broker",
                metadata: ["keys": "\(difference.needsRestart.joined(separator: ", "))"])
        }
    }
}
