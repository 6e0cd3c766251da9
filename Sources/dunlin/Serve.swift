import AdminAPI
import ArgumentParser
import Backbone
import BackboneNATS
import BackboneSQLite
import BridgeRuntime
import BrokerConfiguration
import BrokerCore
import BrokerTransport
import CoreMetrics
import Foundation
import Logging
import ServiceLifecycle
import TransportModel
import UnixSignals

/// `dunlin serve`: the broker.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the broker.",
        discussion: """
            Without options it listens on 127.0.0.1:1883, for this machine only. When it is ready it prints one line on \
            standard output, "Dunlin VERSION listening on ADDRESS"; its log goes to standard error. SIGTERM or SIGINT \
            tells every client goodbye and ends it within the shutdown timeout (limits.shutdown-timeout, 5s). SIGHUP reads \
            the configuration and the certificates again for connections to come; those that are there stay.

            Every key of the configuration is an option, too, and an environment variable: --limits-receive-maximum 7 and \
            DUNLIN_LIMITS_RECEIVE_MAXIMUM=7 are limits.receive-maximum. Options override variables, and variables the \
            file. \(BrokerExitCode.help)
            """)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Address to listen on; may be repeated. With tls://, ws:// or wss:// before it for another transport than "
                + "TCP; unix:PATH is a Unix socket.", valueName: "host:port"),
        transform: { try Serve.address($0) })
    var listen: [ListenAddress] = []

    @Option(
        name: .long, help: ArgumentHelp("Configuration file; see `dunlin config default`.", valueName: "file"),
        completion: .file())
    var config: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Directory for what has to outlive the process: sessions, messages for them, retained messages, wills. "
                + "Without it everything is gone when the process ends.",
            valueName: "dir"),
        completion: .directory)
    var data: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "When a message counts as kept: commit (on the disk), os (with the operating system) or none.",
            valueName: "when"))
    var durability: Durability?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Messages kept for lasting sessions, beyond which the oldest are dropped (1GiB).", valueName: "size"))
    var maximumLogBytes: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Age of a message kept for lasting sessions, beyond which it is dropped (30d).", valueName: "duration"))
    var maximumLogAge: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "NATS servers with JetStream that the nodes of a flock share, instead of --data; commas between them. With "
                + "three or more, each message is on three of them before it is acknowledged. Who the node is to them "
                + "stands before the host (user:password@ or token@) or, better, in files: the keys under nats.",
            valueName: "nats://host:port"))
    var nats: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("The node's name among those that share the NATS servers (the host's).", valueName: "name"))
    var node: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "User names and hashes of their passwords; see `dunlin passwd`. Every client is checked then.",
            valueName: "file"),
        completion: .file())
    var passwordFile: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The server's certificates for tls:// and wss://, PEM.", valueName: "file"),
        completion: .file())
    var certificate: String?

    @Option(
        name: .long, help: ArgumentHelp("The key of the certificate, PEM.", valueName: "file"), completion: .file())
    var key: String?

    @Option(
        name: .customLong("client-ca"),
        help: ArgumentHelp("The authorities of the clients' certificates, PEM.", valueName: "file"),
        completion: .file())
    var clientAuthority: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Who may do what with which topics; see docs/access.md. What no rule allows is denied.", valueName: "file"),
        completion: .file())
    var rulesFile: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Whether a client has to show a certificate: none, optional or required.", valueName: "when"))
    var clientCertificate: String?

    @Option(name: .long, help: ArgumentHelp("How much is logged.", valueName: "level"))
    var logLevel: LogLevel?

    @Option(
        name: .long,
        help: ArgumentHelp("How a line of the log is written: text or json.", valueName: "format"))
    var logFormat: LogFormat?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Address for health, metrics and `dunlin ctl`: host:port or unix:path; may be repeated. Without it: admin.sock "
                + "in the data directory, if there is one.",
            valueName: "address"),
        transform: { try Serve.adminAddress($0) })
    var admin: [AdminAddress] = []

    @Option(
        name: .long,
        help: ArgumentHelp("File with the token that administration over TCP asks for.", valueName: "file"),
        completion: .file())
    var adminTokenFile: String?

    @Flag(
        name: .long,
        help: "Take clients that say no user name; without a password file, on addresses that others can reach, too.")
    var allowAnonymous = false

    @Option(name: .long, help: ArgumentHelp("Event loops; one for each CPU if not given.", valueName: "n"))
    var shards: Int?

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp("Other keys of the configuration, each as --key value.", valueName: "--key value"))
    var keys: [String] = []

    func validate() throws {
        if let shards, !(1...256).contains(shards) {
            throw ValidationError("--shards has to be within 1–256, not \(shards).")
        }
        if node != nil, nats.isEmpty { throw ValidationError("--node names a node of a flock: it goes with --nats.") }
        do throws(FlockError) { _ = try flock(BrokerSettings()) } catch { throw ValidationError("\(error).") }
        var settings = BrokerSettings()
        do throws(InvalidSettings) {
            try settings.apply(options: keys)
        } catch {
            throw ValidationError(error.description)
        }
        for (option, key, text) in texts {
            do throws(InvalidSettings) {
                if let text { try settings.set(key, to: text) }
            } catch {
                throw ValidationError("\(option) \(error.problems[0].text), not \"\(text ?? "")\".")
            }
        }
    }

    func run() async throws {
        let settings = try await settings()
        let accessFiles = try await accessFiles(settings)
        let output = LogOutput(settings.logFormat, level: Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info)
        LoggingSystem.bootstrap { LineLogHandler(label: $0, output: output) }
        MetricsSystem.bootstrap(PrometheusMetricsFactory.shared)
        let logger = Logger(label: "dunlin")
        warn(about: settings, to: logger)

        var configuration = BrokerServerConfiguration(settings)
        let faults = FlockFaults()
        do {
            let shardCount = configuration.effectiveShardCount
            configuration.engine = try engine(settings, shardCount: shardCount, faults: faults, logger: logger)
            configuration.renewal = try flock(settings).map { flock in
                EngineRenewal {
                    flock.engine(shardCount: shardCount, faults: faults)
                } isWorthWaiting: { error in
                    (error as? FlockError)?.remedy != .person
                }
            }
            var access: AccessSetup?
            if let accessFiles {
                access = AccessSetup(settings, accessFiles, logger: logger)
                configuration.options.access = accessFiles.policy
                configuration.authenticator = access?.authenticator
            }
            let server = BrokerServer(configuration: configuration, logger: logger)
            // They hold without an administration, too.
            let bans = try BanStore(server.bans, directory: settings.store.directory)
            let bridges = BridgeService(try settings.bridgeFiles(), logger: logger) {
                try await server.boundAddresses()
            }
            let reloader = Reloader(
                server: server, settings: settings, access: access, bridges: bridges, output: output, logger: logger
            ) { () throws(InvalidSettings) in
                try await readSettings()
            }
            let administration = try administration(
                of: server, bans, reloader, settings, output,
                nodeName: try flock(settings)?.options.node ?? ProcessInfo.processInfo.hostName, logger: logger)
            try await serve(
                server, access, reloader, administration, faults, bridges,
                within: settings.options.limits.shutdownTimeout, logger: logger)
        } catch let error as InvalidSettings {
            StandardStreams.writeErrorLine("Error: \(error)")
            throw BrokerExitCode.failure
        } catch let error as AdminFailure {
            StandardStreams.writeErrorLine("Error: \(error)")
            throw BrokerExitCode.failure
        } catch let error as ListenerError {
            StandardStreams.writeErrorLine("Error: \(error)")
            throw BrokerExitCode.failure
        } catch let error as BackboneError {
            StandardStreams.writeErrorLine("Error: \(error)")
            throw BrokerExitCode.failure
        } catch let error as FlockError {
            StandardStreams.writeErrorLine("Error: \(error)")
            throw BrokerExitCode.failure
        }
    }

    /// The flock that the node belongs to, if it does.
    private func flock(_ settings: BrokerSettings) throws(FlockError) -> FlockSetup? {
        guard !nats.isEmpty else { return nil }
        var flock = try FlockSetup(servers: nats, node: node)
        try flock.read(settings.nats)
        flock.prefer(settings.options)
        return flock
    }

    /// The flock, or the store in the data directory, if there is one.
    private func engine(
        _ settings: BrokerSettings, shardCount: Int, faults: FlockFaults, logger: Logger
    ) throws -> (any BackboneEngine)? {
        if let flock = try flock(settings) {
            guard settings.store.directory.isEmpty else {
                throw FlockError("with --nats nothing is kept in a data directory: leave one of them out")
            }
            return flock.engine(shardCount: shardCount, faults: faults)
        }
        var options = settings.store
        if options.directory.isEmpty { return nil }
        options.shardCount = shardCount
        return try SQLiteBackbone(options: options) { logger.log($0) }
    }

    /// What the settings about access name; nil when everybody may do everything.
    private func accessFiles(_ settings: BrokerSettings) async throws -> AccessFiles? {
        guard settings.access.isSet else { return nil }
        do throws(InvalidSettings) {
            return try await AccessFiles(settings)
        } catch {
            for problem in error.problems { StandardStreams.writeErrorLine("Error: \(problem)") }
            throw BrokerExitCode.badConfiguration
        }
    }

    /// The options that are written as in the file: option, key, text.
    private var texts: [(option: String, key: String, text: String?)] {
        [
            ("--data", "data.directory", data), ("--maximum-log-bytes", "data.maximum-log-bytes", maximumLogBytes),
            ("--maximum-log-age", "data.maximum-log-age", maximumLogAge),
            ("--password-file", "access.password-file", passwordFile),
            ("--rules-file", "access.rules-file", rulesFile),
            ("--admin-token-file", "admin.token-file", adminTokenFile),
        ]
    }

    private func settings() async throws -> BrokerSettings {
        do throws(InvalidSettings) {
            return try await readSettings()
        } catch {
            for problem in error.problems { StandardStreams.writeErrorLine("Error: \(problem)") }
            throw BrokerExitCode.badConfiguration
        }
    }

    /// The configuration file with the options over it, judged as a whole.
    private func readSettings() async throws(InvalidSettings) -> BrokerSettings {
        let environment = ProcessInfo.processInfo.environment
        let config = config ?? environment[BrokerSettings.fileVariable]
        var settings = BrokerSettings()
        if let config { settings = try await BrokerSettings(contentsOfFile: config) }
        try settings.apply(environment: environment)
        try settings.apply(options: keys)
        if !listen.isEmpty {
            settings.addresses = listen
            settings.namedListeners = []
            settings.lines["listeners"] = nil
        }
        if allowAnonymous { settings.allowsAnonymous = true }
        if let logLevel { settings.logLevel = logLevel }
        if let logFormat { settings.logFormat = logFormat }
        if !admin.isEmpty { settings.admin.listeners = admin }
        if let shards { settings.shardCount = shards }
        if let durability { settings.store.durability = durability }
        for (_, key, text) in texts + encryptionTexts {
            if let text { try settings.set(key, to: text) }
        }
        let contradictions =
            settings.contradictions(file: config) + settings.certificateProblems(file: config)
            + settings.bridgeFileProblems(file: config)
        if !contradictions.isEmpty { throw InvalidSettings(contradictions) }
        settings.options.versionText = "Dunlin \(Dunlin.version)"
        return settings
    }

    private var encryptionTexts: [(option: String, key: String, text: String?)] {
        [
            ("--certificate", "listener-defaults.certificate", certificate), ("--key", "listener-defaults.key", key),
            ("--client-ca", "listener-defaults.client-ca", clientAuthority),
            ("--client-certificate", "listener-defaults.client-certificate", clientCertificate),
        ]
    }

    private func warn(about settings: BrokerSettings, to logger: Logger) {
        if settings.store.directory.isEmpty, nats.isEmpty {
            logger.notice("no data directory: sessions, queued and retained messages are gone when the process ends")
        }
        for listener in settings.listeners where !listener.address.isLoopback && !settings.access.isSet {
            logger.warning(
                "whoever reaches this address may publish and subscribe to everything: clients are not checked",
                metadata: ["address": "\(listener)"])
        }
    }

    private func serve(
        _ server: BrokerServer, _ access: AccessSetup?, _ reloader: Reloader, _ administration: AdminService?,
        _ faults: FlockFaults, _ bridges: BridgeService, within shutdownTimeout: Duration, logger: Logger
    ) async throws {
        // Ended in reverse order: the administration answers until the broker is done, and clients are checked until then.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
        if let access { services.append(.init(service: AccessService(setup: access))) }
        services.append(.init(service: reloader))
        services.append(
            .init(
                service: faults.service(for: server, logger: logger),
                failureTerminationBehavior: .gracefullyShutdownGroup))
        if let administration { services.append(.init(service: administration)) }
        services.append(.init(service: server, successTerminationBehavior: .gracefullyShutdownGroup))
        services.append(.init(service: bridges))
        var configuration = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger)
        // The server ends by itself within its timeout; this bound is for the case that it does not.
        configuration.maximumGracefulShutdownDuration = shutdownTimeout + .seconds(5)
        let group = ServiceGroup(configuration: configuration)
        async let announcement: Void = announce(server)
        try await group.run()
        await announcement
    }

    /// Says where the broker listens, once it does. What keeps it from that is `run`'s to tell.
    private func announce(_ server: BrokerServer) async {
        guard let addresses = try? await server.boundAddresses(), !addresses.isEmpty else { return }
        let list = addresses.map(\.description).joined(separator: ", ")
        StandardStreams.writeLine("Dunlin \(Dunlin.version) listening on \(list)")
    }

    private static func adminAddress(_ text: String) throws -> AdminAddress {
        do throws(AdminAddress.Malformed) {
            return try AdminAddress(parsing: text)
        } catch {
            throw ValidationError(error.description)
        }
    }

    private static func address(_ text: String) throws -> ListenAddress {
        do throws(ListenAddress.Malformed) {
            return try ListenAddress(parsing: text)
        } catch {
            throw ValidationError(error.description)
        }
    }
}

extension LogLevel: ExpressibleByArgument {}
extension LogFormat: ExpressibleByArgument {}
extension Durability: ExpressibleByArgument {}

extension BrokerServerConfiguration {
    init(_ settings: BrokerSettings) {
        self.init(
            listeners: settings.listeners, shardCount: settings.shardCount, options: settings.options)
        drain = Drain(
            connectionsPerSecond: settings.admin.drainRate, serverReference: settings.admin.serverReference)
    }
}
