import Backbone
import BrokerCore
import MQTTModel
import Testing

/// What an operator does and sees.
@Suite struct OperatorTests {
    @Test func anOperatorsDisconnectTellsTheReasonAndKeepsTheSession() {
        var harness = CoreHarness()
        let connection = harness.connect("one", cleanStart: false, properties: [.sessionExpiryInterval(100)])
        #expect(
            harness.step(.disconnectRequested(connection, .administrativeAction, serverReference: nil)) == [
                .disconnect(slot: 0, .administrativeAction), .close(slot: 0),
            ])
        let again = harness.open()
        let seen = harness.step(
            .packetReceived(
                again,
                .connect(
                    Connect(
                        version: .v5_0, clientIdentifier: "one", cleanStart: false,
                        properties: [.sessionExpiryInterval(100)]))))
        #expect(seen.contains(.connAck(slot: 1, .success, isSessionPresent: true)))
    }

    /// MQTT-3.1.2-8: the server closed the connection without a DISCONNECT of the client.
    @Test func anOperatorsDisconnectPublishesTheWill() {
        var harness = CoreHarness()
        let watcher = harness.connect("watcher")
        _ = harness.subscribe(watcher, to: "will")
        let will = Will(message: ApplicationMessage(topic: "will", payload: [1], qos: .atMostOnce))
        let connection = harness.connect("one", will: will)
        _ = harness.step(.disconnectRequested(connection, .administrativeAction, serverReference: nil))
        // A will that is noted is published by way of the log.
        #expect(
            harness.answer(.done).contains(
                .publish(slot: 0, topic: "will", qos: .atMostOnce, identifier: 0, isDuplicate: false)))
    }

    /// 5.0 section 4.13.2, and MQTT-3.14.2-3: not when the packet would be too large for the client.
    @Test(arguments: [(nil, "b2.example:1883"), (UInt32(20), nil)] as [(UInt32?, String?)])
    func theServerReferenceIsSentWhereItFits(maximumPacketSize: UInt32?, expected: String?) {
        var core = BrokerCore()
        var random = TestGenerator(state: 1)
        var effects = Effects()
        let connection = ConnectionID(slot: 0, generation: 0)
        let properties = Properties(maximumPacketSize.map { [.maximumPacketSize($0)] } ?? [])
        let inputs: [Input] = [
            .connectionOpened(connection),
            .packetReceived(
                connection, .connect(Connect(version: .v5_0, clientIdentifier: "a", properties: properties))),
        ]
        for input in inputs { core.step(input, at: .zero, using: &random, into: &effects) }
        effects.removeAll()
        core.step(
            .disconnectRequested(connection, .useAnotherServer, serverReference: "b2.example:1883"), at: .zero,
            using: &random, into: &effects)
        let references = effects.all.compactMap { effect in
            if case .send(_, .disconnect(let disconnect)) = effect {
                disconnect.properties.serverReference
            } else {
                nil
            }
        }
        #expect(references == (expected.map { [$0] } ?? []))
    }

    @Test func aConnectionBeforeItsConnectIsClosedWithoutAWord() {
        var harness = CoreHarness()
        let connection = harness.open()
        #expect(
            harness.step(.disconnectRequested(connection, .serverShuttingDown, serverReference: nil)) == [
                .close(slot: 0)
            ])
    }

    @Test func aForbiddenClientIsRefusedAndGetsNoSession() {
        var harness = CoreHarness()
        let connection = harness.open()
        let connect = Packet.connect(Connect(version: .v5_0, clientIdentifier: "one"))
        #expect(
            harness.step(.connectForbidden(connection, connect, .banned)) == [
                .connAck(slot: 0, .banned, isSessionPresent: false), .close(slot: 0),
            ])
        #expect(harness.counters.connectionsRefused == 1)
    }

    /// 5.0 section 4.13.2 and MQTT-3.1.2-24; a 3.x client has no properties.
    @Test(
        arguments: [
            (ProtocolVersion.v5_0, nil, "b2.example:1883"), (.v5_0, 15, nil), (.v3_1_1, nil, nil),
        ] as [(ProtocolVersion, UInt32?, String?)])
    func aRefusedConnectSaysTheServerToGoTo(version: ProtocolVersion, maximumPacketSize: UInt32?, expected: String?) {
        var core = BrokerCore()
        var random = TestGenerator(state: 1)
        var effects = Effects()
        let connection = ConnectionID(slot: 0, generation: 0)
        core.step(.connectionOpened(connection), at: .zero, using: &random, into: &effects)
        let properties = Properties(maximumPacketSize.map { [.maximumPacketSize($0)] } ?? [])
        let connect = Connect(version: version, clientIdentifier: "a", properties: properties)
        core.step(
            .connectForbidden(
                connection, .connect(connect), .useAnotherServer, serverReference: "b2.example:1883"),
            at: .zero, using: &random, into: &effects)
        let answers = effects.all.compactMap { effect in
            if case .send(_, .connAck(let connAck)) = effect { connAck } else { nil }
        }
        #expect(answers.map(\.reasonCode) == [.useAnotherServer])
        #expect(answers.map(\.properties.serverReference) == [expected])
    }

    /// MQTT-4.7.2-1: a filter that begins with a wildcard does not match `$SYS`.
    @Test func whatTheBrokerSaysGoesToThoseWhoAskForIt() {
        var harness = CoreHarness()
        let curious = harness.connect("curious")
        let other = harness.connect("other")
        _ = harness.subscribe(curious, to: "$SYS/broker/clients/+", qos: .atMostOnce)
        _ = harness.subscribe(other, to: "#", qos: .atMostOnce)
        let message = ApplicationMessage(
            topic: "$SYS/broker/clients/total", payload: "2".utf8, qos: .atMostOnce, isRetained: true)
        #expect(
            harness.step(.statusChanged([message])) == [
                .publish(
                    slot: 0, topic: "$SYS/broker/clients/total", qos: .atMostOnce, identifier: 0, isDuplicate: false)
            ])
        // And to those who ask later.
        let late = harness.connect("late")
        #expect(
            harness.subscribe(late, to: "$SYS/broker/clients/total", qos: .atMostOnce).contains(
                .publish(
                    slot: 2, topic: "$SYS/broker/clients/total", qos: .atMostOnce, identifier: 0, isDuplicate: false)))
    }
}
