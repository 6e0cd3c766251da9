import BrokerCore
import MQTTModel
import SimulationKit
import Testing

/// A node whose clients say what a test needs in a line.
struct Node {
    let driver: CoreDriver

    init(shards: Int = 1, _ change: (inout BrokerOptions) -> Void = { _ in }) {
        var options = BrokerOptions()
        options.statusInterval = .zero
        change(&options)
        driver = CoreDriver(shardCount: shards, options: options)
    }

    /// A connected client; what it was answered has been taken, unless `keepsAnswer`.
    func connect(
        _ clientIdentifier: String, expiry: UInt32 = 0, keepAlive: UInt16 = 0, will: Will? = nil,
        keepsAnswer: Bool = false, _ properties: Properties = []
    ) -> DriverConnection {
        var all = properties
        if expiry > 0 { all.append(.sessionExpiryInterval(expiry)) }
        let connection = driver.connect(
            Connect(
                version: .v5_0, clientIdentifier: clientIdentifier, cleanStart: expiry == 0, keepAlive: keepAlive,
                will: will, properties: all))
        if !keepsAnswer { _ = packets(connection) }
        return connection
    }

    func subscribe(_ connection: DriverConnection, _ filter: String, qos: QoS = .atMostOnce) {
        let entry = Subscribe.Entry(filter: filter, options: SubscriptionOptions(maximumQoS: qos))
        send(.subscribe(Subscribe(packetIdentifier: 1, entries: [entry])), connection)
        _ = packets(connection)
    }

    func publish(
        _ connection: DriverConnection, _ topic: String, _ payload: String = "x", qos: QoS = .atMostOnce,
        identifier: PacketIdentifier = 1, isRetained: Bool = false, expiry: UInt32? = nil
    ) {
        let message = ApplicationMessage(
            topic: topic, payload: payload.utf8, qos: qos, isRetained: isRetained)
        message.expiryInterval = expiry
        send(
            .publish(
                Publish(
                    message: message, qos: qos, packetIdentifier: qos == .atMostOnce ? 0 : identifier,
                    isRetained: isRetained)),
            connection)
    }

    func send(_ packet: Packet, _ connection: DriverConnection) {
        driver.send(packet, version: .v5_0, on: connection)
    }

    func packets(_ connection: DriverConnection) -> [Packet] { driver.receivePackets(of: connection) }

    /// The payloads of the messages that came, in order.
    func payloads(_ connection: DriverConnection) -> [String] {
        packets(connection).compactMap { packet in
            guard case .publish(let publish) = packet else { return nil }
            return String(decoding: publish.message.payload, as: UTF8.self)
        }
    }

    func counts(_ counter: KeyPath<Counters, UInt64>) -> UInt64 { driver.total(counter) }
}
