import BrokerCore
import BrokerRuntime
import BrokerTransport
import MQTTModel
import Testing

@Suite struct BoundsTests {
    @Test func aConnectionWithoutConnectIsClosedAfterTheConnectTimeout() async throws {
        var limits = Limits()
        limits.connectTimeout = .milliseconds(50)
        try await withServer(limits) { address, server in
            let silent = try await TestClient.open(address)
            let slow = try await TestClient.open(address)
            // On a busy machine the timeout may be first.
            try? await slow.send(bytes: [0x10])
            try await silent.expectEnd()
            try await slow.expectEnd()
            #expect(try await server.metrics()[0].core.connectTimeouts == 2)
        }
    }

    @Test func aSubscriberThatNeverReadsStaysWithinItsWatermarkAndDisturbsNobody() async throws {
        var limits = Limits()
        limits.outboundHighWatermark = 1 << 18
        limits.outboundLowWatermark = 1 << 16
        try await withServer(limits) { address, server in
            let deaf = try await TestClient.open(address, readsFromStart: false)
            try await deaf.send(
                .connect(Connect(version: .v3_1_1, clientIdentifier: "deaf")), .subscribe(.one("flood")))
            let good = try await TestClient.connect(address, "good")
            try await good.subscribe("flood")
            let publisher = try await TestClient.connect(address, "publisher")
            let payload = String(repeating: "x", count: 100_000)
            var number = 0
            // More than the kernel and the broker hold for the one that does not read.
            while try await server.metrics()[0].core.droppedNotWritable < 50 {
                try await publisher.publish("flood", payload)
                #expect(try await good.nextPublish().payload.utf8.count == payload.utf8.count)
                number += 1
            }
            let metrics = try await server.metrics()[0]
            #expect(metrics.core.droppedNotWritable <= UInt64(number))
            // Once it reads, it gets what was kept, and is written to again.
            try await deaf.startReading()
            for _ in 0..<2 { _ = try await deaf.next() }
            for _ in 0..<(number - Int(metrics.core.droppedNotWritable)) { _ = try await deaf.nextPublish() }
            try await deaf.send(.pingReq)
            guard case .pingResp = try await deaf.next() else { throw TestClient.Failure(description: "no PINGRESP") }
            try await publisher.publish("flood", "again")
            #expect(try await deaf.nextPublish() == ("flood", "again"))
        }
    }

    @Test func aFullMailboxPausesThePublisherAndLosesNothing() async throws {
        var limits = Limits()
        limits.maximumMailboxMessages = 1
        try await withServer(shardCount: 2, limits) { address, server in
            let subscriber = try await TestClient.connect(address, clientIdentifier(onShard: 1, of: 2))
            try await subscriber.subscribe("mail")
            let publisher = try await TestClient.connect(address, clientIdentifier(onShard: 0, of: 2))
            for number in 0..<2000 { try await publisher.publish("mail", "\(number)") }
            for number in 0..<2000 { #expect(try await subscriber.nextPublish().payload == "\(number)") }
            #expect(try await server.metrics()[0].runtime.mailboxFull > 0)
        }
    }

    @Test("shutdown tells a 5.0 client 0x8B and ends the connections")
    func shutdownTellsTheClients() async throws {
        let (five, three) = try await withServer(shardCount: 2) { address, _ in
            (
                try await TestClient.connect(address, "five", version: .v5_0),
                try await TestClient.connect(address, "three")
            )
        }
        guard case .disconnect(let disconnect) = try await five.next() else {
            throw TestClient.Failure(description: "no DISCONNECT")
        }
        #expect(disconnect.reasonCode == .serverShuttingDown)
        try await five.expectEnd()
        try await three.expectEnd()
    }

    @Test func shutdownCutsWhoDoesNotReadAfterItsTimeout() async throws {
        var limits = Limits()
        limits.shutdownTimeout = .milliseconds(50)
        try await withServer(limits) { address, _ in
            let deaf = try await TestClient.open(address, version: .v5_0, readsFromStart: false)
            try await deaf.send(.connect(Connect(version: .v5_0, clientIdentifier: "deaf")))
            // Served after the other's CONNECT on the only shard.
            _ = try await TestClient.connect(address, "other")
        }
    }

    @Test func theFarewellIsNotLostThoughTheClientGoesOnSending() async throws {
        try await withServer { address, _ in
            let client = try await TestClient.open(address, version: .v5_0)
            let connect = client.encode(.connect(Connect(version: .v5_0, clientIdentifier: "noisy")))
            // A reset for bytes that nobody reads would destroy what was sent before it.
            try await client.send(bytes: connect + [0x00, 0x00] + [UInt8](repeating: 0x55, count: 300_000))
            guard case .connAck = try await client.next(), case .disconnect(let disconnect) = try await client.next()
            else { throw TestClient.Failure(description: "no CONNACK and DISCONNECT") }
            #expect(disconnect.reasonCode == .malformedPacket)
            try await client.expectEnd()
        }
    }

    @Test func aMalformedPacketEndsItsConnectionAlone() async throws {
        try await withServer { address, _ in
            let good = try await TestClient.connect(address, "good")
            let bad = try await TestClient.connect(address, "bad", version: .v5_0)
            try await bad.send(bytes: [0x00, 0x00, 0xC0, 0x00])
            guard case .disconnect(let disconnect) = try await bad.next() else {
                throw TestClient.Failure(description: "no DISCONNECT")
            }
            #expect(disconnect.reasonCode == .malformedPacket)
            try await bad.expectEnd()
            try await good.send(.pingReq)
            guard case .pingResp = try await good.next() else { throw TestClient.Failure(description: "no PINGRESP") }
        }
    }
}
