import BrokerCore
import SimulationKit

/// The codec and the pure core in one thread, with virtual time.
struct CoreDepth: BrokerDepth {
    private let driver: CoreDriver
    private var connections: [String: DriverConnection] = [:]
    private var everyConnection: [DriverConnection] = []
    /// What was taken from the driver and not asked for yet.
    private var received: [String: [UInt8]] = [:]
    /// Whether bytes reach the broker one by one (many in some two hundred pieces), as a network may deliver them.
    private let isTrickling: Bool

    init(shardCount: Int, options: BrokerOptions, isTrickling: Bool = false) {
        driver = CoreDriver(shardCount: shardCount, options: options)
        driver.authenticator = { TestAuthenticator.outcome(of: $0) }
        self.isTrickling = isTrickling
    }

    var isTimed: Bool { false }

    /// Ends every connection, lets every session expire that does, and says what is wrong then: what the driver noticed,
    /// and what is left in the core's tables of what has ended. A contradiction in the core's state stops the process.
    func finish() -> [String] {
        driver.checkInvariants()
        for connection in everyConnection { driver.close(connection) }
        driver.advance(by: .seconds(10_000))
        driver.checkInvariants()
        let counts = Dictionary(uniqueKeysWithValues: driver.tableCounts.map { ($0.name, $0.count) })
        var leftovers = ["connections", "pending publishes", "slots"]
        if counts["sessions"] == 0 { leftovers.append("subscriptions") }
        return driver.faults + leftovers.filter { counts[$0] != 0 }.map { "\($0) are left" }
    }

    mutating func open(_ client: String) {
        // In turn, so that a CONNECT often has to be brought to another shard.
        let connection = driver.open(on: everyConnection.count % driver.shardCount)
        connections[client] = connection
        everyConnection.append(connection)
        received[client] = []
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
