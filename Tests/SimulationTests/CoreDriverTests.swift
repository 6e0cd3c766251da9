import BrokerCore
import MQTTModel
import SimulationKit
import Testing

@Suite struct CoreDriverTests {
    /// One client on each of two shards; the identifiers are chosen by their home.
    private static func identifier(on shard: UInt16, of shardCount: UInt16) -> String {
        (0...).lazy.map { "c\($0)" }.first { HomeShard.index(of: $0, shardCount: shardCount) == shard } ?? ""
    }

    private func connAck(_ driver: CoreDriver, _ connection: DriverConnection) -> ConnAck? {
        driver.receivePackets(of: connection).lazy.compactMap {
            if case .connAck(let packet) = $0 { packet } else { nil }
        }
        .first
    }

    @Test func aConnectMovesToTheHomeShardOfItsIdentifier() {
        let driver = CoreDriver(shardCount: 2)
        let name = Self.identifier(on: 1, of: 2)
        let connection = driver.connect(Connect(version: .v5_0, clientIdentifier: name), on: 0)
        #expect(connAck(driver, connection)?.reasonCode == .success)
        #expect(driver.counters(of: 1).connectionsAccepted >= 1)
        #expect(driver.faults.isEmpty)
    }

    @Test func aMessageCrossesShards() {
        let driver = CoreDriver(shardCount: 2)
        let subscriber = driver.connect(
            Connect(version: .v3_1_1, clientIdentifier: Self.identifier(on: 0, of: 2)))
        driver.send(
            .subscribe(Subscribe(packetIdentifier: 1, entries: [.init(filter: "a", options: SubscriptionOptions())])),
            version: .v3_1_1, on: subscriber)
        let publisher = driver.connect(Connect(version: .v3_1_1, clientIdentifier: Self.identifier(on: 1, of: 2)))
        let message = ApplicationMessage(topic: "a", payload: "x".utf8)
        driver.send(.publish(Publish(message: message, qos: .atMostOnce)), version: .v3_1_1, on: publisher)
        let topics = driver.receivePackets(of: subscriber).compactMap { packet -> String? in
            if case .publish(let publish) = packet { publish.message.topicString } else { nil }
        }
        #expect(topics == ["a"])
    }

    @Test func bytesMayArriveOneByOne() {
        let whole = CoreDriver()
        let split = CoreDriver()
        let connect = Connect(version: .v5_0, clientIdentifier: "one")
        let first = whole.connect(connect)
        let second = split.open()
        // CONNECT of 5.0, clean start, no keep alive, identifier "one".
        let bytes: [UInt8] = [0x10, 16, 0, 4, 0x4D, 0x51, 0x54, 0x54, 5, 2, 0, 0, 0, 0, 3, 0x6F, 0x6E, 0x65]
        for byte in bytes { split.receive([byte], on: second) }
        #expect(whole.takeOutput(of: first) == split.takeOutput(of: second))
    }

    @Test func aConnectionWithoutConnectIsClosedInTime() {
        var options = BrokerOptions()
        options.limits.connectTimeout = .seconds(3)
        let driver = CoreDriver(options: options)
        let connection = driver.open()
        driver.advance(by: .milliseconds(2900))
        #expect(!driver.isClosed(connection))
        driver.advance(by: .milliseconds(200))
        #expect(driver.isClosed(connection))
    }

    @Test func whatWaitsInAMailboxComesBeforeALaterPacket() {
        let driver = CoreDriver(shardCount: 2)
        driver.deliversAtOnce = false
        let publisher = driver.connect(Connect(version: .v5_0, clientIdentifier: Self.identifier(on: 0, of: 2)))
        let message = ApplicationMessage(topic: "a", payload: "x".utf8, qos: .atLeastOnce, isRetained: true)
        driver.send(
            .publish(Publish(message: message, qos: .atLeastOnce, packetIdentifier: 1, isRetained: true)),
            version: .v5_0, on: publisher)
        #expect(driver.hasMail(1), "the change waits for the other shard")
        let subscriber = driver.connect(Connect(version: .v5_0, clientIdentifier: Self.identifier(on: 1, of: 2)))
        driver.send(
            .subscribe(Subscribe(packetIdentifier: 1, entries: [.init(filter: "a", options: SubscriptionOptions())])),
            version: .v5_0, on: subscriber)
        let hasMessage = driver.receivePackets(of: subscriber).contains {
            if case .publish(let publish) = $0 { publish.isRetained } else { false }
        }
        #expect(hasMessage)
    }
}
