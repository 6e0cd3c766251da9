import Backbone
import BackboneNATS
import BrokerConfiguration
import BrokerCore
import BrokerTransport
import Foundation
import Logging
import NATSClient
import NATSProtocol
import ServiceLifecycle

/// What `dunlin serve` says of the flock that the node belongs to.
struct FlockSetup {
    private(set) var options: FlockOptions

    /// - Parameters:
    ///   - servers: addresses, each perhaps several with commas between them.
    ///   - node: nil: the name of this machine, up to its first dot.
    /// - Throws: what is wrong, for people.
    init(servers: [String], node: String?) throws(FlockError) {
        var addresses: [ServerAddress] = []
        var credentials = Credentials.none
        for text in servers.flatMap({ $0.split(separator: ",") }) {
            let server = NamedServer(String(text))
            guard let address = ServerAddress(server.address) else {
                throw FlockError("--nats has to be an address such as nats://10.0.0.1:4222, not \"\(server.address)\"")
            }
            addresses.append(address)
            if server.credentials == .none { continue }
            guard credentials == .none || credentials == server.credentials else {
                throw FlockError("the addresses of --nats name different users: a node is the same to all servers")
            }
            credentials = server.credentials
        }
        guard !addresses.isEmpty else {
            throw FlockError("--nats has to be an address such as nats://10.0.0.1:4222, and is empty")
        }
        let name = node ?? String(ProcessInfo.processInfo.hostName.prefix { $0 != "." })
        guard FlockOptions.isNodeName(name) else {
            throw FlockError("--node has to be 1 to 64 letters, digits, - and _, not \"\(name)\"")
        }
        var nats = NATSOptions(servers: addresses)
        nats.name = "dunlin \(name)"
        nats.credentials = credentials
        var options = FlockOptions(node: name, nats: nats)
        // Three servers are there to outlive one of them.
        options.replicas = addresses.count >= 3 ? 3 : 1
        options.version = Dunlin.version
        self.options = options
    }

    /// Reads the files that the settings name.
    mutating func read(_ settings: NATSSettings) throws(FlockError) {
        let named = options.nats.credentials
        do throws(NATSOptions.FileProblem) {
            if let authority = settings.authority { try options.nats.trustAuthorities(in: authority) }
            if let certificate = settings.certificate, let key = settings.key {
                try options.nats.showCertificate(in: certificate, key: key)
            }
            if let user = settings.user, let file = settings.passwordFile {
                try options.nats.readCredentials(.password(ofUser: user), from: file)
            }
            if let file = settings.tokenFile { try options.nats.readCredentials(.token, from: file) }
            if let file = settings.nkeyFile { try options.nats.readCredentials(.nkey, from: file) }
            if let file = settings.credentialsFile { try options.nats.readCredentials(.jwt, from: file) }
        } catch {
            throw FlockError(error.description)
        }
        guard named == .none || named == options.nats.credentials else {
            throw FlockError("--nats names a user or a token, and a key under nats another: leave one of them out")
        }
    }

    /// Which members of shared subscriptions come first for what the node publishes.
    mutating func prefer(_ settings: BrokerOptions) {
        if settings.sharedStrategy == .leastInflight { options.preference.insert(.leastBusy) }
        if settings.prefersLocalMembers { options.preference.insert(.local) }
    }

    /// - Parameter faults: told when the node can go on no longer.
    func engine(shardCount: Int, faults: FlockFaults) -> NATSBackbone {
        NATSBackbone(
            options: options, shardCount: shardCount, incarnation: .random(in: 1 ... .max),
            wallClock: { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }, onFault: { faults.tell($0) })
    }
}

/// An address with who the node is in front of the host, `user:password@` or `token@`, percent-encoded.
private struct NamedServer {
    var address: String
    var credentials = Credentials.none

    init(_ text: String) {
        address = text
        let start = text.range(of: "://")?.upperBound ?? text.startIndex
        guard let end = text[start...].lastIndex(of: "@") else { return }
        address = String(text[..<start] + text[text.index(after: end)...])
        let parts = text[start..<end].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            .map { $0.removingPercentEncoding ?? String($0) }
        credentials = parts.count == 2 ? .password(user: parts[0], password: parts[1]) : .token(parts[0])
    }
}

/// What becomes of a node whose engine can go on no longer: it begins anew, or the process ends. What it has not
/// acknowledged, its clients do with another node meanwhile.
struct FlockFaults: Sendable {
    private let faults: AsyncStream<FlockError>
    private let continuation: AsyncStream<FlockError>.Continuation

    init() { (faults, continuation) = AsyncStream.makeStream() }

    func tell(_ fault: FlockError) { continuation.yield(fault) }

    func service(for server: BrokerServer, logger: Logger) -> some Service {
        FaultService(faults: faults, server: server, logger: logger)
    }

    private struct FaultService: Service {
        let faults: AsyncStream<FlockError>
        let server: BrokerServer
        let logger: Logger

        func run() async throws {
            for await fault in faults.cancelOnGracefulShutdown() {
                guard fault.remedy == .beginning else { throw fault }
                logger.error("the node begins anew", metadata: ["reason": "\(fault)"])
                server.requestBeginning()
            }
        }
    }
}
