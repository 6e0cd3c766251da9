import BrokerCore
import MQTTModel
import SimulationKit
import Testing

/// What a restart has to know of a lasting session beside its messages, each as the shortest story that shows it.
@Suite struct CrashPromiseTests {
    /// A lasting subscriber and a publisher of one node that keeps what it is told.
    private struct Story {
        let driver = CoreDriver()
        var subscriber: DriverConnection
        let publisher: DriverConnection
        private let receiveMaximum: UInt16

        init(receiveMaximum: UInt16 = .max) {
            self.receiveMaximum = receiveMaximum
            driver.useLastingEngine()
            subscriber = driver.connect(Story.connect(receiveMaximum))
            publisher = driver.connect(Connect(version: .v5_0, clientIdentifier: "p"))
            settle()
        }

        private static func connect(_ receiveMaximum: UInt16) -> Connect {
            var properties: Properties = [.sessionExpiryInterval(1000)]
            if receiveMaximum < .max { properties.append(.receiveMaximum(receiveMaximum)) }
            return Connect(version: .v5_0, clientIdentifier: "s", cleanStart: false, properties: properties)
        }

        func settle() { driver.advance(by: .milliseconds(1)) }

        func subscribe(_ filter: String, _ qos: QoS, noLocal: Bool = false) {
            let options = SubscriptionOptions(maximumQoS: qos, noLocal: noLocal)
            send(.subscribe(Subscribe(packetIdentifier: 1, entries: [.init(filter: filter, options: options)])))
        }

        func unsubscribe(_ filter: String) {
            send(.unsubscribe(Unsubscribe(packetIdentifier: 1, filters: [filter])))
        }

        func acknowledge(_ kind: Acknowledgement.Kind, _ identifier: PacketIdentifier) {
            send(.acknowledgement(Acknowledgement(kind, identifier)))
        }

        private func send(_ packet: Packet) {
            driver.send(packet, version: .v5_0, on: subscriber)
            settle()
        }

        func publish(
            _ payload: String, _ qos: QoS, topic: String = "t", isRetained: Bool = false, id: PacketIdentifier
        ) {
            let message = ApplicationMessage(topic: topic, payload: payload.utf8, qos: qos, isRetained: isRetained)
            let packet = Publish(
                message: message, qos: qos, packetIdentifier: qos == .atMostOnce ? 0 : id, isRetained: isRetained)
            driver.send(.publish(packet), version: .v5_0, on: publisher)
            settle()
        }

        /// The process ends and another takes its place; the subscriber comes back.
        mutating func crash() {
            driver.crash()
            driver.restart()
            subscriber = driver.connect(Story.connect(receiveMaximum))
            settle()
        }

        /// The subscriber comes back to the same process.
        mutating func reconnect(receiveMaximum: UInt16) {
            driver.close(subscriber)
            subscriber = driver.connect(Story.connect(receiveMaximum))
            settle()
        }

        /// Another lasting member of the shared subscription, which goes away again.
        func addMember(of filter: String) {
            let connect = Connect(
                version: .v5_0, clientIdentifier: "other", cleanStart: false,
                properties: [.sessionExpiryInterval(1000)])
            let other = driver.connect(connect)
            let options = SubscriptionOptions(maximumQoS: .exactlyOnce)
            driver.send(
                .subscribe(Subscribe(packetIdentifier: 1, entries: [.init(filter: filter, options: options)])),
                version: .v5_0, on: other)
            settle()
            driver.close(other)
            settle()
        }

        /// How many messages wait for that member.
        func countForMember() -> Int {
            let connect = Connect(
                version: .v5_0, clientIdentifier: "other", cleanStart: false,
                properties: [.sessionExpiryInterval(1000)])
            let other = driver.connect(connect)
            settle()
            return driver.receivePackets(of: other).count { if case .publish = $0 { true } else { false } }
        }

        /// What came, but for CONNACK, SUBACK and UNSUBACK.
        func received() -> [String] {
            driver.receivePackets(of: subscriber).compactMap { packet in
                switch packet {
                case .acknowledgement(let packet): "\(packet.kind) \(packet.packetIdentifier)"
                case .publish(let packet):
                    String(decoding: packet.message.payload, as: UTF8.self) + " QoS \(packet.qos.rawValue)"
                        + (packet.packetIdentifier == 0 ? "" : " id \(packet.packetIdentifier)")
                        + (packet.isDuplicate ? " DUP" : "")
                default: nil
                }
            }
        }
    }

    /// Seed 336: a QoS 1 message in flight came after one with QoS 2 that had followed it, when the subscription had been
    /// changed between the two (P3).
    @Test func whatWasSentBeforeAnInterruptedExchangeComesBeforeIt() {
        var story = Story()
        story.subscribe("t", .atLeastOnce)
        story.publish("first", .exactlyOnce, id: 1)
        story.subscribe("t", .exactlyOnce)
        story.publish("second", .exactlyOnce, id: 2)
        #expect(story.received() == ["first QoS 1 id 1", "second QoS 2 id 2"])
        story.crash()
        #expect(story.received() == ["first QoS 1 id 3 DUP", "second QoS 2 id 2 DUP"])
    }

    /// A client answers on its new connection what it got on the old one, before the message's turn has come.
    @Test func anInterruptedExchangeIsAnsweredOutOfTurn() {
        var story = Story(receiveMaximum: 2)
        story.subscribe("t", .exactlyOnce)
        story.publish("first", .atLeastOnce, id: 1)
        story.publish("second", .exactlyOnce, id: 2)
        #expect(story.received() == ["first QoS 1 id 1", "second QoS 2 id 2"])
        story.driver.crash()
        story.driver.restart()
        story.subscriber = story.driver.connect(
            Connect(
                version: .v5_0, clientIdentifier: "s", cleanStart: false,
                properties: [.sessionExpiryInterval(1000), .receiveMaximum(1)]))
        story.settle()
        #expect(story.received() == ["first QoS 1 id 3 DUP"])
        story.acknowledge(.pubRec, 2)
        story.acknowledge(.pubComp, 2)
        story.acknowledge(.pubAck, 3)
        #expect(story.received() == ["pubRel 2"])
    }

    /// Seed 90: the client's own PUBREL with the same number was taken for an answer.
    @Test func theClientsOwnIdentifiersAreOthers() {
        var story = Story(receiveMaximum: 1)
        story.subscribe("t", .exactlyOnce)
        story.publish("first", .atLeastOnce, id: 1)
        story.acknowledge(.pubAck, 1)
        story.publish("second", .exactlyOnce, id: 2)
        #expect(story.received() == ["first QoS 1 id 1", "second QoS 2 id 2"])
        story.crash()
        story.acknowledge(.pubRel, 2)
        story.acknowledge(.pubAck, 3)
        #expect(story.received() == ["first QoS 1 id 3 DUP", "pubComp 2", "second QoS 2 id 2 DUP"])
    }

    /// By its own and by a shared subscription a session gets a message twice, in two exchanges that know nothing of each
    /// other.
    @Test(arguments: [["t", "$share/g/t"], ["$share/g/t", "$share/h/t"]])
    func twoExchangesOfOneMessageAreTwo(filters: [String]) {
        var story = Story()
        for filter in filters { story.subscribe(filter, .exactlyOnce) }
        story.publish("m", .exactlyOnce, id: 1)
        #expect(story.received() == ["m QoS 2 id 1", "m QoS 2 id 2"])
        story.acknowledge(.pubRec, 1)
        #expect(story.received() == ["pubRel 1"])
        story.crash()
        #expect(story.received() == ["pubRel 1", "m QoS 2 id 2 DUP"])
        story.acknowledge(.pubComp, 1)
        story.crash()
        #expect(story.received() == ["m QoS 2 id 2 DUP"])
    }

    /// A session's place in the log may be behind a message that its group gave it while that still waits. Sent then, it was
    /// forgotten by the next restart, which gave it away once more.
    private static func sentFromBehindTheCursor() -> Story {
        var story = Story()
        story.subscribe("own", .atLeastOnce)
        story.subscribe("$share/g/t", .exactlyOnce)
        story.publish("first", .atLeastOnce, topic: "own", id: 1)
        story.publish("second", .atLeastOnce, id: 2)
        #expect(story.received() == ["first QoS 1 id 1", "second QoS 1 id 2"])
        story.reconnect(receiveMaximum: 1)
        story.publish("third", .exactlyOnce, id: 3)
        story.acknowledge(.pubAck, 1)
        #expect(story.received() == ["first QoS 1 id 1 DUP", "second QoS 1 id 2 DUP"])
        story.driver.advance(by: .seconds(1))
        story.acknowledge(.pubAck, 2)
        #expect(story.received() == ["third QoS 2 id 3"])
        return story
    }

    @Test func anExchangeOfAGroupOutlivesTheCursor() {
        var story = Self.sentFromBehindTheCursor()
        story.crash()
        #expect(story.received() == ["third QoS 2 id 3 DUP"])
        story.acknowledge(.pubRec, 3)
        story.crash()
        #expect(story.received() == ["pubRel 3"])
        story.acknowledge(.pubComp, 3)
        story.crash()
        #expect(story.received() == [])
    }

    /// [MQTT-4.8.2-4]: the message stays with the member that it was being sent to, also when that is none any more.
    @Test func anExchangeOfAGroupOutlivesTheMembership() {
        var story = Self.sentFromBehindTheCursor()
        story.addMember(of: "$share/g/t")
        story.unsubscribe("$share/g/t")
        _ = story.received()
        story.crash()
        #expect(story.received() == ["third QoS 2 id 3 DUP"])
        story.acknowledge(.pubRec, 3)
        story.crash()
        #expect(story.received() == ["pubRel 3"])
        story.acknowledge(.pubComp, 3)
        story.crash()
        #expect(story.received() == [])
        #expect(story.countForMember() == 0)
    }

    /// [MQTT-3.8.4-4] and [MQTT-3.10.4-3]: what waits goes by the options that the subscription had.
    @Test func aReplacedSubscriptionStillBringsWhatWaits() {
        var story = Story(receiveMaximum: 1)
        story.subscribe("t", .exactlyOnce)
        story.publish("first", .exactlyOnce, id: 1)
        story.publish("second", .exactlyOnce, id: 2)
        story.subscribe("t", .atMostOnce)
        story.publish("third", .exactlyOnce, id: 3)
        #expect(story.received() == ["first QoS 2 id 1", "third QoS 0"])
        story.crash()
        #expect(story.received() == ["first QoS 2 id 1 DUP"])
        story.acknowledge(.pubRec, 1)
        story.acknowledge(.pubComp, 1)
        #expect(story.received() == ["pubRel 1", "second QoS 2 id 2"])
    }

    /// [MQTT-3.8.4-4]: the cursor had passed what waited by the shared subscription, which is the group's.
    @Test func aReplacedSharedSubscriptionStillBringsWhatWaits() {
        var story = Story(receiveMaximum: 1)
        story.subscribe("$share/g/t", .atLeastOnce)
        story.publish("first", .atLeastOnce, id: 1)
        story.publish("second", .atLeastOnce, id: 2)
        story.driver.advance(by: .seconds(1))
        story.subscribe("$share/g/t", .exactlyOnce)
        story.publish("third", .atLeastOnce, id: 3)
        #expect(story.received() == ["first QoS 1 id 1"])
        story.crash()
        story.acknowledge(.pubAck, 1)
        story.acknowledge(.pubAck, 2)
        #expect(story.received() == ["first QoS 1 id 1", "second QoS 1 id 2", "third QoS 1 id 3"])
    }

    @Test func anEndedSubscriptionStillBringsWhatWaits() {
        var story = Story(receiveMaximum: 1)
        story.subscribe("t", .atLeastOnce)
        story.publish("first", .atLeastOnce, id: 1)
        story.publish("second", .atLeastOnce, id: 2)
        story.unsubscribe("t")
        story.publish("third", .atLeastOnce, id: 3)
        #expect(story.received() == ["first QoS 1 id 1"])
        story.crash()
        story.acknowledge(.pubAck, 1)
        #expect(story.received() == ["first QoS 1 id 1", "second QoS 1 id 2"])
    }

    /// SUBACK promises the retained messages (P4). Those that wait come after a restart; what the client has had of them
    /// with QoS 2 does not come again.
    @Test func copiesOfRetainedMessagesThatWaitSurvive() {
        var story = Story(receiveMaximum: 1)
        story.publish("a", .exactlyOnce, topic: "r/a", isRetained: true, id: 1)
        story.publish("b", .exactlyOnce, topic: "r/b", isRetained: true, id: 2)
        story.publish("c", .atLeastOnce, topic: "r/c", isRetained: true, id: 3)
        story.publish("d", .atMostOnce, topic: "r/d", isRetained: true, id: 4)
        story.subscribe("r/#", .exactlyOnce)
        story.acknowledge(.pubRec, 1)
        story.acknowledge(.pubComp, 1)
        #expect(story.received() == ["a QoS 2 id 1", "pubRel 1", "b QoS 2 id 2"])
        story.crash()
        #expect(story.received() == ["b QoS 2 id 2 DUP"])
        story.acknowledge(.pubRec, 2)
        story.acknowledge(.pubComp, 2)
        #expect(story.received() == ["pubRel 2", "c QoS 1 id 3"])
        story.crash()
        #expect(story.received() == ["c QoS 1 id 1"])
        story.acknowledge(.pubAck, 1)
        story.crash()
        #expect(story.received() == [])
    }

    /// What replaced a retained message has come by the subscription itself: it does not come as retained as well.
    @Test func aCopyThatWasReplacedMeanwhileIsNotSent() {
        var story = Story(receiveMaximum: 1)
        story.publish("a", .exactlyOnce, topic: "r/a", isRetained: true, id: 1)
        story.publish("b", .atLeastOnce, topic: "r/b", isRetained: true, id: 2)
        story.subscribe("r/#", .exactlyOnce)
        story.publish("new", .exactlyOnce, topic: "r/a", isRetained: true, id: 3)
        story.publish("newer", .atLeastOnce, topic: "r/b", isRetained: true, id: 4)
        #expect(story.received() == ["a QoS 2 id 1"])
        story.crash()
        // The client may hold the identifier.
        #expect(story.received() == ["pubRel 1"])
        story.acknowledge(.pubComp, 1)
        story.acknowledge(.pubRec, 2)
        story.acknowledge(.pubComp, 2)
        #expect(story.received() == ["new QoS 2 id 2", "pubRel 2", "newer QoS 1 id 3"])
    }

    /// No Local is about the client identifier, not about the session [MQTT-3.8.3-3]: a client published, came back to a
    /// new session and got what the engine had taken its time with.
    @Test func aMessageOfAnEarlierSessionIsTheClientsOwn() {
        let driver = CoreDriver()
        driver.useLastingEngine(maximumCommitDelayMilliseconds: 1000)
        let connect = Connect(version: .v5_0, clientIdentifier: "c")
        let first = driver.connect(connect)
        let message = ApplicationMessage(topic: "t", payload: "m".utf8, isRetained: true)
        driver.send(
            .publish(Publish(message: message, qos: .atMostOnce, isRetained: true)), version: .v5_0, on: first)
        driver.close(first)
        let second = driver.connect(connect)
        let options = SubscriptionOptions(maximumQoS: .atLeastOnce, noLocal: true)
        driver.send(
            .subscribe(Subscribe(packetIdentifier: 1, entries: [.init(filter: "t", options: options)])),
            version: .v5_0, on: second)
        driver.advance(by: .seconds(2))
        let published = driver.receivePackets(of: second).contains { if case .publish = $0 { true } else { false } }
        #expect(!published)
    }
}
