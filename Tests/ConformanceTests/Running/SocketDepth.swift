import BrokerTransport
import Foundation
import Glibc

/// A whole broker behind a listener on the loopback address, or nodes of a flock that get the connections in turn, with
/// blocking sockets for clients.
struct SocketDepth: BrokerDepth {
    /// How long to wait for what must come. Long, because nothing waits for it when all is well.
    private static let patienceMilliseconds: Int32 = 5000

    private let servers: [BrokerServer]
    private let ports: [UInt16]
    /// nil: there are no other nodes to wait for.
    private var marks: FlockMarks?
    private var connections = 0
    private var sockets: [String: Int32] = [:]
    private var received: [String: [UInt8]] = [:]

    init(servers: [BrokerServer], ports: [Int], marks: FlockMarks? = nil) {
        self.servers = servers
        self.ports = ports.map { UInt16($0) }
        self.marks = marks
    }

    /// The clients' sockets block, so they get a thread: the broker may need all those of the tasks.
    /// - Returns: what went wrong, with the transcript.
    func run(_ exchangeCase: ExchangeCase) async -> String? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var runner = ExchangeRunner(self, version: exchangeCase.version)
                var fault: (any Error)?
                do {
                    try runner.depth.settle()
                    try runner.run(exchangeCase.exchange.steps)
                } catch {
                    fault = error
                }
                runner.depth.closeAll()
                continuation.resume(returning: fault.map { "\($0)\n\(runner.transcript.joined(separator: "\n"))" })
            }
        }
    }

    var isTimed: Bool { true }
    var isFlock: Bool { marks != nil }

    mutating func settle() throws { try marks?.settle() }

    mutating func open(_ client: String) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw WireFault("no socket: errno \(errno)") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = ports[connections % ports.count].bigEndian
        connections += 1
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        let outcome = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard outcome == 0 else { throw WireFault("no connection: errno \(errno)") }
        var noDelay: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
        sockets[client] = socket
        received[client] = []
    }

    mutating func send(_ bytes: [UInt8], from client: String) throws {
        guard let socket = sockets[client] else { throw WireFault("\(client) has no connection") }
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(socket, buffer.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            // The broker may have closed already; what it said before is still to be read.
            guard count > 0 else { return }
            sent += count
        }
    }

    mutating func next(at client: String) throws -> Arrival {
        guard let socket = sockets[client] else { throw WireFault("\(client) has no connection") }
        while true {
            if let packet = try WireReader.firstPacket(of: received[client] ?? []) {
                received[client]?.removeFirst(packet.count)
                return .packet(packet)
            }
            switch Self.read(from: socket) {
            case .some(let bytes) where bytes.isEmpty:
                guard received[client]?.isEmpty == true else { throw WireFault("\(client) got a part of a packet") }
                return .closed
            case .some(let bytes): received[client]? += bytes
            case nil: return .nothing
            }
        }
    }

    /// Bytes; none at the end of the stream; nil when the time limit is over.
    private static func read(from socket: Int32) -> [UInt8]? {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&descriptor, 1, patienceMilliseconds) > 0 else { return nil }
        let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            // A reset is an end as well.
            count = max(0, recv(socket, buffer.baseAddress, buffer.count, 0))
        }
        return bytes
    }

    /// Closes the sending half and waits for the broker to close its own: then it knows that the connection is gone.
    mutating func drop(_ client: String) throws {
        guard let socket = sockets.removeValue(forKey: client) else { return }
        shutdown(socket, Int32(SHUT_WR))
        while true {
            guard let bytes = Self.read(from: socket) else {
                throw WireFault("the broker keeps \(client)'s connection")
            }
            if bytes.isEmpty { break }
        }
        Glibc.close(socket)
    }

    mutating func pass(_ duration: Duration) throws {
        throw WireFault("time cannot be made to pass over a socket")
    }

    mutating func shutDown() {
        // From here on nodes say nothing more to each other.
        marks = nil
        for server in servers { server.requestShutdown() }
    }

    mutating func closeAll() {
        for socket in sockets.values { Glibc.close(socket) }
        sockets = [:]
    }
}
