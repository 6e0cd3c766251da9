import BackboneNATS
import BrokerTransport
import Foundation
import Logging
import NATSClient
import NATSProtocol
import ServiceLifecycle

/// What `dunlin serve` says of the flock that the node belongs to.
struct FlockSetup {
    let options: FlockOptions

    /// - Parameters:
    ///   - servers: addresses, each perhaps several with commas between them.
    ///   - node: nil: the name of this machine, up to its first dot.
    /// - Throws: what is wrong, for people.
    init(servers: [String], node: String?) throws(FlockError) {
        var addresses: [ServerAddress] = []
        for text in servers.flatMap({ $0.split(separator: ",") }) {
            guard let address = ServerAddress(String(text)) else {
                throw FlockError("--nats has to be an address such as nats://10.0.0.1:4222, not \"\(text)\"")
            }
            addresses.append(address)
        }
        let name = node ?? String(ProcessInfo.processInfo.hostName.prefix { $0 != "." })
        guard FlockOptions.isNodeName(name) else {
            throw FlockError("--node has to be 1 to 64 letters, digits, - and _, not \"\(name)\"")
        }
        var nats = NATSOptions(servers: addresses)
        nats.name = "dunlin \(name)"
        var options = FlockOptions(node: name, nats: nats)
        // Three servers are there to outlive one of them.
        options.replicas = addresses.count >= 3 ? 3 : 1
        options.version = Dunlin.version
        self.options = options
    }

    /// - Parameter faults: told when the node can go on no longer.
    func engine(shardCount: Int, faults: FlockFaults) -> NATSBackbone {
        NATSBackbone(
            options: options, shardCount: shardCount, incarnation: .random(in: 1 ... .max),
            wallClock: { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }, onFault: { faults.tell($0) })
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
