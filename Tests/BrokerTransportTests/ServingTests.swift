import BrokerCore
import BrokerRuntime
import BrokerTransport
import MQTTModel
import Testing

@Suite struct ServingTests {
    @Test func packetsPipelinedInOneSegmentAreServed() async throws {
        try await withServer { address, _ in
            let client = try await TestClient.open(address)
            try await client.send(
                .connect(Connect(version: .v3_1_1, clientIdentifier: "one")), .subscribe(.one("a/#")),
                .publish(.test("a/b", Array("hello".utf8))), .pingReq)
            guard case .connAck(let connAck) = try await client.next() else {
                throw TestClient.Failure(description: "CONNACK")
            }
            #expect(connAck.reasonCode == .success)
            guard case .subAck = try await client.next() else { throw TestClient.Failure(description: "SUBACK") }
            #expect(try await client.nextPublish() == ("a/b", "hello"))
            guard case .pingResp = try await client.next() else { throw TestClient.Failure(description: "PINGRESP") }
        }
    }

    @Test func packetsCutAtEveryByteBoundaryAreServed() async throws {
        try await withServer { address, _ in
            let probe = try await TestClient.open(address)
            let bytes = probe.encode(
                .connect(Connect(version: .v3_1_1, clientIdentifier: "cut")), .subscribe(.one("cut")),
                .publish(.test("cut", Array(repeating: 7, count: 200))), .pingReq)
            for cut in 1..<bytes.count {
                let client = try await TestClient.open(address)
                try await client.send(bytes: bytes[..<cut])
                try await client.send(bytes: bytes[cut...])
                try await expectAnswers(client)
                try await client.close()
            }
            let client = try await TestClient.open(address)
            for byte in bytes { try await client.send(bytes: [byte]) }
            try await expectAnswers(client)
        }
    }

    private func expectAnswers(_ client: TestClient) async throws {
        guard case .connAck = try await client.next(), case .subAck = try await client.next(),
            case .publish(let publish) = try await client.next(), case .pingResp = try await client.next()
        else { throw TestClient.Failure(description: "other answers") }
        #expect(publish.message.payloadLength == 200)
    }

    @Test func aPacketLargerThanTheReceiveBufferIsServed() async throws {
        try await withServer { address, _ in
            let client = try await TestClient.connect(address, "large")
            try await client.subscribe("large")
            let payload = String(repeating: "x", count: 300_000)
            try await client.publish("large", payload)
            #expect(try await client.nextPublish() == ("large", payload))
        }
    }

    @Test func clientsOfAllPairsOfShardsReachEachOther() async throws {
        try await withServer(shardCount: 2) { address, server in
            for subscriberShard in UInt16(0)...1 {
                let subscriber = try await TestClient.connect(
                    address, clientIdentifier(onShard: subscriberShard, of: 2, "subscriber"))
                try await subscriber.subscribe("shards/+", .exactlyOnce)
                for publisherShard in UInt16(0)...1 {
                    let publisher = try await TestClient.connect(
                        address, clientIdentifier(onShard: publisherShard, of: 2, "publisher"))
                    // The answer says that every shard knows the subscription: no message can be lost.
                    for (number, qos) in [QoS.atMostOnce, .atLeastOnce].enumerated() {
                        try await publisher.publish("shards/\(publisherShard)", "\(number)", qos)
                        #expect(try await subscriber.nextPublish() == ("shards/\(publisherShard)", "\(number)"))
                    }
                    try await publisher.close()
                }
                try await subscriber.close()
            }
            let moved = try await server.metrics().map(\.runtime.connectionsMoved)
            #expect(moved[0] > 0 && moved[1] == 0)
        }
    }

    @Test("whoever subscribes on another shard after the PUBACK gets the retained message")
    func retainedMessagesAreSeenByEveryShard() async throws {
        try await withServer(shardCount: 2) { address, _ in
            let publisher = try await TestClient.connect(address, clientIdentifier(onShard: 0, of: 2))
            let subscriber = try await TestClient.connect(address, clientIdentifier(onShard: 1, of: 2))
            for number in 0..<50 {
                try await publisher.send(
                    .publish(.test("kept/\(number)", Array("\(number)".utf8), .atLeastOnce, isRetained: true)))
                guard case .acknowledgement = try await publisher.next() else {
                    throw TestClient.Failure(description: "no PUBACK")
                }
                try await subscriber.subscribe("kept/\(number)")
                #expect(try await subscriber.nextPublish() == ("kept/\(number)", "\(number)"))
            }
        }
    }

    @Test("a second connection with the client identifier ends the first with 0x8E [MQTT-3.1.4-3]")
    func takeoverEndsTheFirstConnection() async throws {
        try await withServer(shardCount: 2) { address, _ in
            for shard in UInt16(0)...1 {
                let identifier = clientIdentifier(onShard: shard, of: 2)
                let first = try await TestClient.connect(address, identifier, version: .v5_0)
                let second = try await TestClient.connect(address, identifier, version: .v5_0)
                guard case .disconnect(let disconnect) = try await first.next() else {
                    throw TestClient.Failure(description: "no DISCONNECT")
                }
                #expect(disconnect.reasonCode == .sessionTakenOver)
                try await first.expectEnd()
                try await second.send(.pingReq)
                guard case .pingResp = try await second.next() else {
                    throw TestClient.Failure(description: "no PINGRESP")
                }
            }
        }
    }
}
