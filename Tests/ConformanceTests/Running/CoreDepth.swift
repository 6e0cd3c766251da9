import BrokerCore
import SimulationKit

/// The codec and the pure core in one thread, with virtual time.
struct CoreDepth: BrokerDepth {
    private let driver: CoreDriver
    private var connections: [String: DriverConnection] = [:]
    /// What was taken from the driver and not asked for yet.
    private var received: [String: [UInt8]] = [:]
    private var accepted = 0
    /// Whether bytes reach the broker one by one (many in some two hundred pieces), as a network may deliver them.
    private let isTrickling: Bool

    init(shardCount: Int, options: BrokerOptions, isTrickling: Bool = false) {
        driver = CoreDriver(shardCount: shardCount, options: options)
        self.isTrickling = isTrickling
    }

    var isTimed: Bool { false }
    /// What the driver or the core's own invariants found wrong.
    var faults: [String] { driver.faults }

    mutating func open(_ client: String) {
        // In turn, so that a CONNECT often has to be brought to another shard.
        connections[client] = driver.open(on: accepted % driver.shardCount)
        received[client] = []
        accepted += 1
    }

    mutating func send(_ bytes: [UInt8], from client: String) throws {
        guard let connection = connections[client] else { throw WireFault("\(client) has no connection") }
        guard isTrickling else { return driver.receive(bytes, on: connection) }
        let size = max(1, bytes.count / 200)
        for start in stride(from: 0, to: bytes.count, by: size) {
            driver.receive(bytes[start..<min(start + size, bytes.count)], on: connection)
        }
    }

    mutating func next(at client: String) throws -> Arrival {
        guard let connection = connections[client] else { throw WireFault("\(client) has no connection") }
        received[client, default: []] += driver.takeOutput(of: connection)
        if let packet = try WireReader.firstPacket(of: received[client] ?? []) {
            received[client]?.removeFirst(packet.count)
            return .packet(packet)
        }
        guard received[client]?.isEmpty == true else { throw WireFault("\(client) got a part of a packet") }
        return driver.isClosed(connection) ? .closed : .nothing
    }

    mutating func drop(_ client: String) {
        if let connection = connections[client] { driver.close(connection) }
    }

    mutating func pass(_ duration: Duration) { driver.advance(by: duration) }
    mutating func shutDown() { driver.shutdown() }
}
