import BrokerCore
import BrokerRuntime
import BrokerTransport
import Logging
import MQTTModel
import Synchronization
import Testing
import TransportModel

/// Overload over a socket (P7).
@Suite("Overload over a socket")
struct OverloadTests {
    @Test func whoSendsTooFastIsNotReadFromAndLosesNothing() async throws {
        var limits = Limits()
        limits.maximumMessageRate = 100
        try await withServer(limits) { address, server in
            let subscriber = try await TestClient.connect(address, "subscriber")
            try await subscriber.subscribe("t")
            let publisher = try await TestClient.connect(address, "publisher")
            for number in 0..<300 { try await publisher.publish("t", "\(number)") }
            for number in 0..<300 { #expect(try await subscriber.nextPublish().payload == "\(number)") }
            #expect(try await server.metrics()[0].core.readingThrottled > 0)
            // Pings are not counted.
            try await publisher.send(.pingReq)
            guard case .pingResp = try await publisher.next() else {
                throw TestClient.Failure(description: "no PINGRESP")
            }
        }
    }

    @Test func whoSendsTooManyBytesIsNotReadFromAndLosesNothing() async throws {
        var limits = Limits()
        limits.maximumByteRate = 1 << 20
        try await withServer(limits) { address, server in
            let subscriber = try await TestClient.connect(address, "subscriber")
            try await subscriber.subscribe("t")
            let publisher = try await TestClient.connect(address, "publisher")
            let payload = String(repeating: "x", count: 100_000)
            for _ in 0..<15 { try await publisher.publish("t", payload) }
            for _ in 0..<15 { #expect(try await subscriber.nextPublish().payload.utf8.count == payload.utf8.count) }
            #expect(try await server.metrics()[0].core.readingThrottled > 0)
        }
    }

    @Test("a client that connects too often gets 0x8A for a time")
    func aFlappingClientIsBanned() async throws {
        var limits = Limits()
        limits.maximumConnectsPerWindow = 2
        limits.connectsWindow = .seconds(3_600)
        try await withServer(limits) { address, server in
            for _ in 0..<2 { try await TestClient.connect(address, "flapping", version: .v5_0).close() }
            #expect(try await answer(to: "flapping", at: address) == .banned)
            #expect(try await answer(to: "other", at: address) == .success)
            #expect(try await server.metrics()[0].core.clientsBanned == 1)
        }
    }

    @Test func aConnectionOfAnAddressThatHasAsManyAsItMayIsClosed() async throws {
        var listener = Listener(host: "127.0.0.1", port: 0)
        listener.options.maximumConnectionsPerAddress = 2
        try await withServer(listener: listener) { address, server in
            let first = try await TestClient.connect(address, "first")
            let second = try await TestClient.connect(address, "second")
            try await TestClient.open(address).expectEnd()
            #expect(server.listenerCounts()[0].counts.refusedByAddressConnections == 1)
            try await first.close()
            while server.listenerCounts()[0].counts.connections > 1 { await Task.yield() }
            try await TestClient.connect(address, "third").close()
            try await second.close()
        }
    }

    @Test("without memory new sessions get 0x89, publishers are slowed, holders are cut, and it recovers")
    func memoryThatIsShortAndComesBack() async throws {
        let used = Mutex(0)
        var options = BrokerOptions()
        options.statusInterval = .zero
        options.limits.memoryWatermark = 100
        options.limits.maximumMemory = 200
        var configuration = BrokerServerConfiguration(
            listeners: [Listener(host: "127.0.0.1", port: 0)], shardCount: 1, options: options)
        configuration.usedMemory = { used.withLock { $0 } }
        try await withServer(configuration) { address, server in
            let client = try await TestClient.connect(address, "client")
            try await client.subscribe("t")
            let holder = try await TestClient.connect(address, "holder")
            // The beginning of a PUBLISH of 1 MB.
            try await holder.send(bytes: [0x30, 0xC0, 0x84, 0x3D] + [UInt8](repeating: 0, count: 500_000))

            used.withLock { $0 = 150 }
            // A hundred a second are free, so it takes more than that to be slowed; and nothing is lost.
            while try await server.metrics()[0].core.readingThrottled == 0 {
                for _ in 0..<50 { try await client.publish("t", "slowed") }
                for _ in 0..<50 { #expect(try await client.nextPublish().payload == "slowed") }
            }
            used.withLock { $0 = 200 }
            // Told to the shard within a tenth of a second.
            while try await answer(to: "new", at: address) != .serverBusy {}
            // Once what it has sent has arrived.
            try await holder.expectEnd()
            #expect(try await server.metrics()[0].runtime.connectionsCutForMemory == 1)
            used.withLock { $0 = 0 }
            while try await answer(to: "new", at: address) != .success {}
        }
    }

    private func answer(to clientIdentifier: String, at address: Listener) async throws -> ReasonCode {
        let client = try await TestClient.open(address, version: .v5_0)
        try await client.send(.connect(Connect(version: .v5_0, clientIdentifier: clientIdentifier)))
        guard case .connAck(let connAck) = try await client.next() else {
            throw TestClient.Failure(description: "no CONNACK")
        }
        try? await client.close()
        return connAck.reasonCode
    }
}
