import Backbone
import BrokerCore
import MQTTModel
import Testing

@Suite("What the backbone did not take is noted again")
struct NotedEndsTests {
    private static let lasting: Properties = [.sessionExpiryInterval(100)]

    private static func ends(_ commands: [CoreHarness.Pending]) -> [String] {
        commands.flatMap { pending -> [String] in
            guard case .store(let changes) = pending.command else { return [] }
            return changes.compactMap { change in
                switch change {
                case .ended(let client): "\(client) ended"
                case .disconnected(let client, _, let delay):
                    "\(client) gone \(delay.map(String.init) ?? "without will")"
                default: nil
                }
            }
        }
    }

    @Test("P2, P5: the end of a connection and of a session", arguments: [BackboneOutcome.unknown, .full])
    func anEndIsNotedAgain(outcome: BackboneOutcome) {
        var core = CoreHarness()
        let connection = core.connect("s", properties: Self.lasting)
        core.answersNotesAtOnce = false
        _ = core.step(.connectionClosed(connection))
        #expect(Self.ends(core.pendingCommands) == ["s gone without will"])
        _ = core.answer(outcome)
        #expect(core.pendingCommands.isEmpty)
        _ = core.advance(by: .seconds(2))
        #expect(Self.ends(core.pendingCommands) == ["s gone without will"])
        _ = core.answer(.done)
        _ = core.advance(by: .seconds(100))
        #expect(Self.ends(core.pendingCommands) == ["s ended"])
        _ = core.answer(outcome)
        _ = core.advance(by: .seconds(2))
        #expect(Self.ends(core.pendingCommands) == ["s ended"])
    }

    @Test("P5: a will that the backbone did not take is published later, and is not forgotten before")
    func aWillIsPublishedAgain() {
        var core = CoreHarness()
        let will = Will(message: ApplicationMessage(topic: "w", payload: [1], qos: .atLeastOnce), delayInterval: 0)
        let connection = core.connect("s", properties: Self.lasting, will: will)
        core.answersNotesAtOnce = false
        _ = core.step(.connectionClosed(connection))
        _ = core.answer(.unknown)
        #expect(Self.ends(core.pendingCommands) == ["s gone 0"])
        _ = core.answer(.done)
        _ = core.advance(by: .seconds(2))
        let appends = core.pendingCommands.count { if case .append = $0.command { true } else { false } }
        #expect(appends == 1)
    }

    @Test("P3: a message that was refused is refused again when it is repeated, and its identifier is free for another")
    func aRepeatedMessageIsRefusedAgain() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t")
        let first = core.connect("p", properties: Self.lasting)
        for (qos, identifier) in [(QoS.atLeastOnce, 1), (.exactlyOnce, 2)] as [(QoS, PacketIdentifier)] {
            _ = core.publish(first, "t", qos: qos, identifier: identifier)
            _ = core.answer(.full)
        }
        _ = core.step(.connectionClosed(first))
        let second = core.connect("p", cleanStart: false, properties: Self.lasting)
        #expect(
            core.publish(second, "t", qos: .atLeastOnce, identifier: 1, isDuplicate: true)
                == [.acknowledge(slot: 2, .pubAck, 1, .quotaExceeded)])
        #expect(
            core.publish(second, "t", qos: .exactlyOnce, identifier: 2, isDuplicate: true)
                == [.acknowledge(slot: 2, .pubRec, 2, .quotaExceeded)])
        #expect(core.pendingCommands.isEmpty)
        _ = core.publish(second, "t", qos: .atLeastOnce, identifier: 1)
        guard case .append(let append)? = core.pendingCommands.first?.command else {
            Issue.record("the message was not given to the backbone")
            return
        }
        #expect(append.knownRefusal.rawValue > 0)
    }

    @Test("MQTT-4.3.3-10: a release that was not noted is noted with the next PUBREL, on another connection, too")
    func aReleaseIsNotedOnTheNextConnection() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t", qos: .atLeastOnce)
        let first = core.connect("p", properties: Self.lasting)
        _ = core.publish(first, "t", qos: .exactlyOnce, identifier: 9)
        _ = core.answer(.done)
        core.answersNotesAtOnce = false
        _ = core.step(.packetReceived(first, .acknowledgement(Acknowledgement(.pubRel, 9))))
        _ = core.step(.connectionClosed(first))
        _ = core.answer(.unknown)
        core.answersNotesAtOnce = true
        let second = core.connect("p", cleanStart: false, properties: Self.lasting)
        core.answersNotesAtOnce = false
        #expect(core.step(.packetReceived(second, .acknowledgement(Acknowledgement(.pubRel, 9)))) == [])
        #expect(core.answer(.done) == [.acknowledge(slot: 2, .pubComp, 9, .success)])
    }

    /// Seed 1013: the first of two messages waited for its note once more, and the second went past it.
    @Test("MQTT-4.6.0-6: what is sent again stays in order while the first waits for its note")
    func whatIsSentAgainWaitsForTheNoteOfTheFirst() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t")
        let publisher = core.connect("p")
        core.answersNotesAtOnce = false
        _ = core.publish(publisher, "t", qos: .exactlyOnce, identifier: 1)
        _ = core.publish(publisher, "t", qos: .exactlyOnce, identifier: 2)
        _ = core.answer(.done)
        _ = core.answer(.done)
        _ = core.answer(.unknown)
        _ = core.answer(.done)
        core.answersNotesAtOnce = true
        _ = core.advance(by: .milliseconds(1))
        core.answersNotesAtOnce = false
        let second = core.open()
        _ = core.step(
            .packetReceived(
                second,
                .connect(
                    Connect(version: .v5_0, clientIdentifier: "s", cleanStart: false, properties: Self.lasting))))
        let opened = core.answer(.done)
        #expect(!opened.contains { if case .publish = $0 { true } else { false } })
        let identifiers = core.answer(.done).compactMap { seen -> PacketIdentifier? in
            if case .publish(_, _, _, let identifier, _) = seen { identifier } else { nil }
        }
        #expect(identifiers == [1, 2])
    }
}
