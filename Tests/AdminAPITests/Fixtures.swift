import AdminAPI
import BrokerConfiguration
import BrokerCore
import BrokerTransport
import Foundation
import Logging
import MQTTClient
import MQTTModel
import ServiceLifecycle
import Synchronization
import Testing
import TransportModel

/// A broker with its administration, on ports of its own.
struct AdministeredBroker: Sendable {
    let server: BrokerServer
    let port: Int
    let admin: AdminClient
    let adminPort: Int
    let socket: String

    /// Runs the body with a broker that answers over TCP and over a Unix socket; `admin` uses the socket.
    static func with(
        token: String? = nil, settings: BrokerSettings = BrokerSettings(),
        _ body: (AdministeredBroker) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "dunlin-admin-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let socket = directory.appending(path: "a.sock").path
        var settings = settings
        if settings.options.statusInterval == BrokerOptions().statusInterval { settings.options.statusInterval = .zero }
        settings.admin.listeners =
            settings.admin.listeners ?? [.network(ListenAddress(host: "127.0.0.1", port: 0)), .unix(path: socket)]
        if let token {
            let file = directory.appending(path: "token")
            try Data((token + "\n").utf8).write(to: file)
            settings.admin.tokenFile = file.path
        }
        var configuration = BrokerServerConfiguration(
            listeners: [Listener(ListenAddress(host: "127.0.0.1", port: 0), options: settings.listenerDefaults)],
            shardCount: 2, options: settings.options)
        configuration.drain = Drain(serverReference: settings.admin.serverReference)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = BrokerServer(
            configuration: configuration, logger: logger)
        let level = LevelBox()
        let administration = try AdminService(
            settings, server: server, bans: try BanStore(server.bans, directory: ""),
            actions: AdminActions { () async throws(AdminFailure) -> Outcome in
                Outcome("reloaded", count: 0)
            } logLevel: {
                level.value
            } setLogLevel: { text in
                level.set(text)
            }, nodeName: "node-1", version: "1.2.3", logger: logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: administration),
                    .init(service: server, successTerminationBehavior: .gracefullyShutdownGroup),
                ], logger: logger))
        let run = Task { try await group.run() }
        do {
            let address = try await server.boundAddresses()[0]
            let adminPort = try await administration.boundAddresses().compactMap { address in
                if case .network(let address) = address { address.port } else { nil }
            }.first
            let broker = AdministeredBroker(
                server: server, port: address.address.port, admin: AdminClient(.unix(path: socket)),
                adminPort: try #require(adminPort), socket: socket)
            try await body(broker)
            await group.triggerGracefulShutdown()
            try await run.value
        } catch {
            await group.triggerGracefulShutdown()
            _ = await run.result
            throw error
        }
    }

    /// The administration over TCP.
    func overTCP(token: AdminToken? = nil) -> AdminClient {
        AdminClient(.network(ListenAddress(host: "127.0.0.1", port: adminPort)), token: token)
    }

    /// The samples of `/metrics` by name and labels.
    func metrics() async throws -> [String: Double] {
        let text = String(decoding: try await admin.send(.get, "/metrics").body, as: UTF8.self)
        var samples: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let space = try #require(line.lastIndex(of: " "))
            let value: Double = try #require(Double(String(line[line.index(after: space)...])))
            samples[String(line[..<space])] = value
        }
        return samples
    }
}

private final class LevelBox: Sendable {
    private let level = Mutex("info")

    var value: String { level.withLock { $0 } }

    func set(_ text: String) -> Bool {
        guard Logger.Level(rawValue: text) != nil else { return false }
        level.withLock { $0 = text }
        return true
    }
}

extension AdministeredBroker {
    /// A client that does not come back by itself.
    func client(_ identifier: String, user: String? = nil, expiry: Duration = .zero) -> MQTTClient {
        var configuration = MQTTClient.Configuration(host: "127.0.0.1", port: port)
        configuration.clientIdentifier = identifier
        configuration.userName = user
        configuration.sessionExpiryInterval = expiry
        configuration.cleanStart = expiry == .zero
        configuration.reconnect = .never
        return MQTTClient(configuration: configuration)
    }
}

/// The reason with which the server ended a connection whose events are these.
func reasonOfTheEnd(_ events: AsyncStream<MQTTClient.Event>) async -> ReasonCode? {
    for await event in events {
        if case .connectionLost(let error) = event { return error.reasonCode }
        if case .closed(let error) = event { return error?.reasonCode }
    }
    return nil
}

extension BrokerSettings {
    static func changed(_ change: (inout BrokerSettings) -> Void) -> BrokerSettings {
        var settings = BrokerSettings()
        change(&settings)
        return settings
    }
}

extension AdminClient {
    /// Asks, and expects the status.
    func expect(
        _ status: Int, _ method: Method, _ target: String, body: Data? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await send(method, target, body: body)
        #expect(answer.status == status, "\(method.rawValue) \(target)", sourceLocation: sourceLocation)
    }
}
