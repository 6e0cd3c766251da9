import Backbone
import BrokerCore
import MQTTModel
import Testing

@Suite("An exchange that a crash has interrupted goes on")
struct RestoreTests {
    private static let lasting: Properties = [.sessionExpiryInterval(100)]

    private static func entry(_ sequence: LogSequence) -> LogEntry {
        LogEntry(
            sequence: sequence, message: ApplicationMessage(topic: "t", payload: [1], qos: .exactlyOnce),
            publisher: .none)
    }

    private static func session(
        _ clientIdentifier: String, filter: String?, sent: RestoredSession.Sent? = nil
    ) -> RestoredSession {
        var session = RestoredSession(clientIdentifier: clientIdentifier)
        session.expiryInterval = 100
        if let filter {
            session.subscriptions = [
                .init(
                    filter: filter, options: SubscriptionOptions(maximumQoS: .exactlyOnce), identifier: 0, since: 0)
            ]
        }
        if let sent { session.sent = [sent] }
        return session
    }

    private static func resume(_ client: String, in core: inout CoreHarness) -> [CoreHarness.Seen] {
        let connection = core.open()
        return core.step(
            .packetReceived(
                connection,
                .connect(
                    Connect(version: .v5_0, clientIdentifier: client, cleanStart: false, properties: lasting)))
        ).filter {
            switch $0 {
            case .publish, .acknowledge: true
            default: false
            }
        }
    }

    @Test(
        "P1, MQTT-3.10.4-3: unsubscribing does not end an exchange that has begun",
        arguments: [
            (
                RestoredSession.Sent.Phase.sending,
                CoreHarness.Seen.publish(slot: 0, topic: "t", qos: .exactlyOnce, identifier: 7, isDuplicate: true)
            ),
            (.handedOver, .acknowledge(slot: 0, .pubRel, 7, .success)),
        ])
    func unsubscribingDoesNotEndAnExchange(_ phase: RestoredSession.Sent.Phase, _ expected: CoreHarness.Seen) {
        var core = CoreHarness()
        let sent = RestoredSession.Sent(SentExchange(sequence: 1), packetIdentifier: 7, phase: phase)
        core.restore([Self.session("s", filter: nil, sent: sent)], log: [Self.entry(1)])
        #expect(Self.resume("s", in: &core) == [expected])
    }

    @Test("P1: the member of a shared subscription that was in the middle of a message keeps it")
    func theInterruptedMemberKeepsTheMessage() {
        var core = CoreHarness()
        let sent = RestoredSession.Sent(
            SentExchange(sequence: 1, group: SharedGroup(name: "g", pattern: "t")), packetIdentifier: 7, phase: .sending
        )
        core.restore(
            [Self.session("a", filter: "$share/g/t"), Self.session("b", filter: "$share/g/t", sent: sent)],
            log: [Self.entry(1)], groups: [SharedGroup(name: "g", pattern: "t")])
        #expect(Self.resume("a", in: &core) == [])
        #expect(
            Self.resume("b", in: &core)
                == [.publish(slot: 1, topic: "t", qos: .exactlyOnce, identifier: 7, isDuplicate: true)])
    }

    @Test("P1: a shard says whether its member was in the middle of a message, so that no other takes it")
    func theShardOfTheInterruptedMemberIsFound() {
        let group = SharedGroup(name: "g", pattern: "t")
        for isInterrupted in [true, false] {
            var core = BrokerCore(options: BrokerOptions())
            var effects = Effects()
            let sent = RestoredSession.Sent(
                SentExchange(sequence: 1, group: SharedGroup(name: "g", pattern: "t")), packetIdentifier: 7,
                phase: .sending)
            core.restore(
                Self.session("a", filter: "$share/g/t", sent: isInterrupted ? sent : nil), at: .zero, into: &effects)
            #expect(core.isInterrupted(SentExchange(sequence: 1, group: group)) == isInterrupted)
        }
    }

    @Test("P1: a message of a shared subscription is its group's, and does not hold back the cursor of the session")
    func theCursorPassesAnUnfinishedSharedMessage() {
        var core = CoreHarness()
        let member = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(member, to: "$share/g/t")
        _ = core.subscribe(member, to: "u", qos: .atLeastOnce)
        let publisher = core.connect("p")
        _ = core.publish(publisher, "t", qos: .exactlyOnce, identifier: 1)
        _ = core.answer(.done)
        _ = core.publish(publisher, "u", qos: .atLeastOnce, identifier: 2)
        _ = core.answer(.done)
        core.answersNotesAtOnce = false
        _ = core.step(.packetReceived(member, .acknowledgement(Acknowledgement(.pubAck, 2))))
        _ = core.advance(by: .seconds(10))
        var cursors: [LogSequence] = []
        for pending in core.pendingCommands {
            guard case .store(let changes) = pending.command else { continue }
            for case .advanced(_, let through) in changes { cursors.append(through) }
        }
        #expect(cursors == [2])
    }

    @Test(
        "MQTT-4.8.2-5: a message that was being sent to a session which has ended by the restart goes to no other member"
    )
    func whatAnEndedSessionWasSentGoesToNobody() {
        var core = CoreHarness()
        let group = SharedGroup(name: "g", pattern: "t")
        let sent = RestoredSession.Sent(
            SentExchange(sequence: 1, group: group), packetIdentifier: 7, phase: .sending)
        var ended = Self.session("a", filter: "$share/g/t", sent: sent)
        ended.expiryInterval = 0
        ended.expiresIn = 0
        core.answersNotesAtOnce = false
        core.restore([ended, Self.session("b", filter: "$share/g/t")], log: [Self.entry(1)], groups: [group])
        let finished = core.pendingCommands.contains {
            guard case .store(let changes) = $0.command else { return false }
            return changes.contains { if case .groupFinished(group, 1) = $0 { true } else { false } }
        }
        #expect(finished)
        core.answersNotesAtOnce = true
        #expect(Self.resume("b", in: &core) == [])
    }

    @Test("MQTT-3.2.0-1: a PUBREC that is due on a new connection does not pass its CONNACK")
    func pubRecDoesNotPassTheConnAck() {
        var core = CoreHarness()
        let subscriber = core.connect("s", properties: Self.lasting)
        _ = core.subscribe(subscriber, to: "t")
        let first = core.connect("p", properties: Self.lasting)
        _ = core.publish(first, "t", qos: .exactlyOnce, identifier: 9)
        _ = core.step(.connectionClosed(first))
        core.answersNotesAtOnce = false
        let second = core.open()
        _ = core.step(
            .packetReceived(
                second,
                .connect(
                    Connect(version: .v5_0, clientIdentifier: "p", cleanStart: false, properties: Self.lasting))))
        #expect(
            !core.answer(.done).contains {
                if case .acknowledge = $0 { true } else { false }
            })
    }

    @Test("P1: a QoS 2 copy of a retained message goes out under a noted identifier, too")
    func aRetainedCopyIsNotedBeforeItIsSent() {
        var core = CoreHarness()
        let publisher = core.connect("p")
        _ = core.publish(publisher, "t", qos: .exactlyOnce, identifier: 1, isRetained: true)
        _ = core.answer(.done)
        let subscriber = core.connect("s", properties: Self.lasting)
        core.answersNotesAtOnce = false
        _ = core.subscribe(subscriber, to: "t")
        #expect(core.answer(.done) == [.subAck(slot: 1, [.grantedQoS2])])
        #expect(
            core.answer(.done)
                == [.publish(slot: 1, topic: "t", qos: .exactlyOnce, identifier: 1, isDuplicate: false)])
    }

    @Test("P1: the identifier of a copy that a crash has interrupted is released", arguments: [0, 1] as [UInt8])
    func theIdentifierOfACopyIsReleased(_ phase: UInt8) {
        var core = CoreHarness()
        let sent = RestoredSession.Sent(
            SentExchange(sequence: .firstCopy + 5), packetIdentifier: 7, phase: .init(rawValue: phase) ?? .finished)
        core.restore([Self.session("s", filter: "t", sent: sent)], log: [])
        #expect(Self.resume("s", in: &core) == [.acknowledge(slot: 0, .pubRel, 7, .success)])
    }

    @Test("P1, P4: what is left of an expiry interval counts from the restart, however long the machine has been up")
    func whatIsLeftOfAnExpiryIntervalCountsFromTheRestart() {
        let now = Instant.zero.advanced(seconds: 10_000)
        let restoration = NodeRestoration([RestoredShard()], at: now)
        let message = ApplicationMessage(topic: "t", payload: [1], qos: .atLeastOnce)
        message.expiryInterval = 600
        restoration.restore(retained: message, position: 0)
        #expect(message.remainingExpiry(at: now) == 600)
    }
}

/// A shard that nothing is restored to.
private final class RestoredShard: RestorableShard {
    private var core = BrokerCore(options: BrokerOptions())
    private var effects = Effects()

    func withCore<Result>(_ body: (inout BrokerCore, inout Effects) -> Result) -> Result { body(&core, &effects) }
}
