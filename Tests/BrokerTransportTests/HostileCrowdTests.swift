import BrokerCore
import BrokerRuntime
import BrokerTransport
import MQTTModel
import Testing
import TransportModel

/// Strangers who mean no good, many of each kind at once, and a pair of honest clients among them.
@Suite struct HostileCrowdTests {
    private static let crowd = 150

    /// P7: every stranger ends, or waits within its bound, for itself alone; the honest pair loses nothing, and how long its
    /// messages took is printed beside how long they took before. No bound on the time: the machine may be busy.
    @Test func aCrowdOfStrangersEndsForItselfAlone() async throws {
        var limits = Limits()
        limits.connectTimeout = .seconds(2)
        limits.outboundHighWatermark = 1 << 18
        limits.outboundLowWatermark = 1 << 16
        try await withServer(shardCount: 2, limits) { address, server in
            let subscriber = try await TestClient.connect(address, "honest-subscriber")
            try await subscriber.subscribe("honest", .atLeastOnce)
            let publisher = try await TestClient.connect(address, "honest-publisher")
            let quiet = try await Self.roundTrips(100, from: publisher, to: subscriber)

            let silent = try await Self.openCrowd(address)
            let slow = try await Self.openCrowd(address)
            let garbage = try await Self.openCrowd(address)
            let deaf = try await Self.deafSubscribers(address)
            let crowded = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await Self.trickle(into: slow) }
                group.addTask { try await Self.pour(into: garbage) }
                group.addTask { try await Self.flood(address) }
                let times = try await Self.roundTrips(300, from: publisher, to: subscriber)
                try await group.waitForAll()
                return times
            }

            for client in silent + slow + garbage { try await client.expectEnd() }
            let metrics = try await server.metrics()
            #expect(metrics.reduce(0) { $0 + $1.connections } == 2 + deaf.count)
            #expect(metrics.reduce(0) { $0 + $1.core.connectTimeouts } >= UInt64(Self.crowd))
            #expect(metrics.reduce(0) { $0 + $1.core.protocolViolations } >= UInt64(Self.crowd))
            #expect(metrics.reduce(0) { $0 + $1.core.droppedNotWritable } > 0)
            print(
                "round trip of the honest pair, alone: \(quiet); among \(Self.crowd * 3 + deaf.count) strangers: \(crowded)"
            )
            for client in deaf { try await client.close() }
        }
    }

    // MARK: The honest pair

    /// QoS 1 messages one after the other; each has to arrive, in order, before the next is sent.
    private static func roundTrips(
        _ count: Int, from publisher: TestClient, to subscriber: TestClient
    ) async throws -> String {
        let clock = ContinuousClock()
        var times: [Duration] = []
        for number in 0..<count {
            let start = clock.now
            try await publisher.publish("honest", "\(number)", .atLeastOnce, packetIdentifier: UInt16(number + 1))
            guard case .publish(let publish) = try await subscriber.next() else {
                throw TestClient.Failure(description: "no PUBLISH")
            }
            times.append(clock.now - start)
            #expect(String(decoding: publish.message.payload, as: UTF8.self) == "\(number)")
            try await subscriber.send(.acknowledgement(Acknowledgement(.pubAck, publish.packetIdentifier)))
            guard case .acknowledgement = try await publisher.next() else {
                throw TestClient.Failure(description: "no PUBACK")
            }
        }
        times.sort()
        return "median \(times[count / 2]), p99 \(times[count * 99 / 100])"
    }

    // MARK: The strangers

    private static func openCrowd(_ address: Listener) async throws -> [TestClient] {
        var clients: [TestClient] = []
        for _ in 0..<crowd { clients.append(try await TestClient.open(address)) }
        return clients
    }

    /// A CONNECT that claims more than it ever sends, a byte at a time. The broker may be done with it first.
    private static func trickle(into clients: [TestClient]) async throws {
        for byte in [0x10, 0x7F, 0x00, 0x04, 0x4D] as [UInt8] {
            for client in clients { try? await client.send(bytes: [byte]) }
        }
    }

    /// What is no MQTT at all.
    private static func pour(into clients: [TestClient]) async throws {
        for (number, client) in clients.enumerated() {
            let bytes = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
            try? await client.send(bytes: bytes)
        }
    }

    /// Subscribers that never read what comes.
    private static func deafSubscribers(_ address: Listener) async throws -> [TestClient] {
        var clients: [TestClient] = []
        for number in 0..<10 {
            let client = try await TestClient.open(address, readsFromStart: false)
            try await client.send(
                .connect(Connect(version: .v3_1_1, clientIdentifier: "deaf-\(number)")), .subscribe(.one("flood")))
            clients.append(client)
        }
        return clients
    }

    /// A publisher without measure: more than the deaf, the kernel and the broker hold.
    private static func flood(_ address: Listener) async throws {
        let client = try await TestClient.connect(address, "flooder")
        let payload = String(repeating: "x", count: 100_000)
        for _ in 0..<400 { try await client.publish("flood", payload) }
        try await client.close()
    }
}
