import Backbone
import BrokerCore
import MQTTModel
import Testing

/// A node of a flock, as one shard: sessions come when they are claimed and go when another node claims them.
@Suite("Sessions that move between nodes")
struct FlockSessionTests {
    private static let lasting: Properties = [.sessionExpiryInterval(100)]

    private static func core() -> CoreHarness {
        var options = BrokerOptions()
        options.isInFlock = true
        return CoreHarness(options: options)
    }

    private static func message(_ topic: String, qos: QoS = .atLeastOnce) -> ApplicationMessage {
        ApplicationMessage(topic: topic, payload: [1], qos: qos)
    }

    private static func entry(_ sequence: LogSequence, _ topic: String, qos: QoS = .atLeastOnce) -> LogEntry {
        LogEntry(sequence: sequence, message: message(topic, qos: qos), publisher: .remote)
    }

    /// A session of another node, subscribed to `t/#`.
    private static func session(_ client: String, cursor: LogSequence = 0) -> RestoredSession {
        var session = RestoredSession(clientIdentifier: client)
        session.expiryInterval = 100
        session.expiresIn = 100
        session.cursor = cursor
        session.subscriptions = [
            .init(filter: "t/#", options: SubscriptionOptions(maximumQoS: .exactlyOnce), identifier: 0, since: 0)
        ]
        return session
    }

    private static func changes(_ core: borrowing CoreHarness) -> [SessionChange] {
        core.notes.flatMap { $0 }
    }

    private static func departures(_ core: borrowing CoreHarness) -> [String] {
        changes(core).compactMap { if case .departed(let client) = $0 { client } else { nil } }
    }

    @Test("P2: a CONNECT waits until its session is this node's")
    func aConnectClaimsItsSession() {
        var core = Self.core()
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        guard case .claim("c") = core.pendingCommands.first?.command else {
            Issue.record("\(core.pendingCommands)")
            return
        }
        let seen = core.answerClaim(TakenSessions(sessions: [Self.session("c")]))
        #expect(seen.contains(.connAck(slot: 0, .success, isSessionPresent: true)))
        #expect(seen.last == .resumeReading(slot: 0))
    }

    @Test("MQTT-3.2.2-2: nobody had the session")
    func aClaimThatBringsNothingBeginsASession() {
        var core = Self.core()
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        let seen = core.answerClaim(TakenSessions())
        #expect(seen.contains(.connAck(slot: 0, .success, isSessionPresent: false)))
    }

    @Test("P2: a session that is here is not claimed again")
    func aSessionOfThisNodeIsNotClaimed() {
        var core = Self.core()
        _ = core.connect("c", properties: Self.lasting)
        _ = core.answerClaim(TakenSessions())
        let second = core.open()
        let seen = core.connect(on: second, "c", cleanStart: false, properties: Self.lasting)
        #expect(seen.contains(.disconnect(slot: 0, .sessionTakenOver)))
        #expect(seen.contains(.connAck(slot: 1, .success, isSessionPresent: true)))
        #expect(core.pendingCommands.isEmpty)
    }

    @Test("P6: without an answer the client is told to come again")
    func aClaimThatFailsRefusesTheConnect() {
        var core = Self.core()
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        #expect(
            core.answerClaim(nil) == [
                .connAck(slot: 0, .serverUnavailable, isSessionPresent: false), .close(slot: 0),
            ])
    }

    @Test("P6: nor does it wait for ever")
    func aClaimWithoutAnswerTimesOut() {
        var core = Self.core()
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        let seen = core.advance(by: Limits().authenticationTimeout + .seconds(1))
        #expect(seen == [.connAck(slot: 0, .serverUnavailable, isSessionPresent: false), .close(slot: 0)])
        #expect(core.counters.claimTimeouts == 1)
        // The answer comes too late: the session is here for the next CONNECT.
        #expect(core.answerClaim(TakenSessions(sessions: [Self.session("c")])) == [])
        let second = core.open()
        let back = core.connect(on: second, "c", cleanStart: false, properties: Self.lasting)
        #expect(back.contains(.connAck(slot: 1, .success, isSessionPresent: true)))
    }

    @Test("P6: a node that is cut off sends its clients away and takes none, until it has its flock again")
    func anIsolatedNodeHasNoClients() {
        var core = Self.core()
        let online = core.connect("a", cleanStart: false, properties: Self.lasting)
        _ = core.answerClaim(TakenSessions())
        while !core.pendingCommands.isEmpty { _ = core.answer(.done) }
        _ = core.connect("b", cleanStart: false, properties: Self.lasting)
        _ = core.open()
        let seen = core.step(.isolationChanged(true))
        #expect(
            seen == [
                .disconnect(slot: 0, .serverShuttingDown), .close(slot: 0),
                .connAck(slot: 1, .serverUnavailable, isSessionPresent: false), .close(slot: 1),
            ])
        let again = core.step(.isolationChanged(true))
        #expect(again == [])
        // One that has only opened its connection is told when it says what it speaks.
        let third = core.open()
        let refused = core.connect(on: third, "c", cleanStart: false, properties: Self.lasting)
        #expect(refused == [.connAck(slot: 3, .serverUnavailable, isSessionPresent: false), .close(slot: 3)])
        let healed = core.step(.isolationChanged(false))
        #expect(healed == [])
        #expect(online.slot == 0)
        let fourth = core.open()
        let back = core.connect(on: fourth, "a", cleanStart: false, properties: Self.lasting)
        #expect(!back.contains(.close(slot: 4)))
    }

    @Test("P2: two CONNECTs at once are one claim, and the later one takes over")
    func twoConnectsClaimOnce() {
        var core = Self.core()
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        _ = core.connect("c", cleanStart: true, properties: Self.lasting)
        #expect(core.pendingCommands.count == 1)
        let seen = core.answerClaim(TakenSessions(sessions: [Self.session("c")]))
        #expect(seen.contains(.close(slot: 0)))
        #expect(seen.contains(.connAck(slot: 1, .success, isSessionPresent: false)))
        #expect(Self.departures(core) == [])
    }

    @Test("P1, P3: what waited comes before what came since the session is here")
    func aTakenSessionGetsTheLogInOrder() {
        var core = Self.core()
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        // Told to the shard before, and to nobody here.
        _ = core.step(.logAppended(Self.entry(1, "t/1")))
        _ = core.step(.logAppended(Self.entry(2, "t/2")))
        let entries = [1, 2].map { Self.entry(LogSequence($0), "t/\($0)") }
        var seen = core.answerClaim(TakenSessions(sessions: [Self.session("c", cursor: 1)], entries: entries))
        seen += core.step(.logAppended(Self.entry(3, "t/3")))
        #expect(CoreHarness.topics(seen) == ["t/2", "t/3"])
    }

    @Test("MQTT-3.3.1-1: what another node may have sent comes with DUP, and nothing else does")
    func whatMayHaveBeenSentComesWithDUP() {
        var core = Self.core()
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        _ = core.step(.logAppended(Self.entry(2, "t/2")))
        var session = Self.session("c")
        session.sentThrough = 1
        let entries = [1, 2].map { Self.entry(LogSequence($0), "t/\($0)") }
        #expect(
            Self.duplicates(core.answerClaim(TakenSessions(sessions: [session], entries: entries))) == [true, false])
    }

    @Test("MQTT-3.3.1-1: with a client that was connected it is everything up to the claim")
    func allMayHaveBeenSentToAConnectedClient() {
        var core = Self.core()
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        _ = core.step(.logAppended(Self.entry(1, "t/1")))
        var session = Self.session("c")
        session.sentThrough = .max
        var seen = core.answerClaim(TakenSessions(sessions: [session], entries: [Self.entry(1, "t/1")]))
        seen += core.step(.logAppended(Self.entry(2, "t/2")))
        #expect(Self.duplicates(seen) == [true, false])
    }

    private static func duplicates(_ seen: [CoreHarness.Seen]) -> [Bool] {
        seen.compactMap { if case .publish(_, _, _, _, let isDuplicate) = $0 { isDuplicate } else { nil } }
    }

    @Test("MQTT-3.3.4-2: what the log has for a session that comes is for no other one")
    func othersGetNothingTwice() {
        var core = Self.core()
        let other = core.connect("o", properties: Self.lasting)
        _ = core.answerClaim(TakenSessions())
        _ = core.subscribe(other, to: "t/#")
        #expect(CoreHarness.topics(core.step(.logAppended(Self.entry(1, "t/1")))) == ["t/1"])
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        let seen = core.answerClaim(
            TakenSessions(sessions: [Self.session("c")], entries: [Self.entry(1, "t/1")]))
        #expect(CoreHarness.slots(seen) == [1])
        // Both are subscribed from here on.
        #expect(CoreHarness.slots(core.step(.logAppended(Self.entry(2, "t/2")))).sorted() == [0, 1])
    }

    @Test("P1: a QoS 2 exchange goes on under its packet identifier on the other node")
    func anExchangeGoesOnOnAnotherNode() {
        var core = Self.core()
        var session = Self.session("c")
        session.sent = [.init(SentExchange(sequence: 1), packetIdentifier: 7, phase: .sending)]
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        let seen = core.answerClaim(
            TakenSessions(
                sessions: [session], entries: [Self.entry(1, "t/1", qos: .exactlyOnce)]))
        #expect(
            seen.contains(
                .publish(slot: 0, topic: "t/1", qos: .exactlyOnce, identifier: 7, isDuplicate: true)))
    }

    @Test("MQTT-3.1.4-3: the node that loses a session tells its client and notes nothing")
    func aSessionThatIsLostGoesSilently() {
        var core = Self.core()
        let will = Will(message: Self.message("w"), delayInterval: 0)
        let connection = core.connect("c", properties: Self.lasting, will: will)
        _ = core.answerClaim(TakenSessions())
        _ = core.subscribe(connection, to: "t/#")
        core.notes = []
        let seen = core.step(.sessionLost(clientIdentifier: "c"))
        #expect(seen == [.disconnect(slot: 0, .sessionTakenOver), .close(slot: 0)])
        #expect(core.pendingCommands.isEmpty)
        #expect(core.notes.isEmpty)
        // And it is not here any more.
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        guard case .claim("c") = core.pendingCommands.first?.command else {
            Issue.record("\(core.pendingCommands)")
            return
        }
    }

    /// The claims of two nodes' clients would go to and fro through the log without an end.
    @Test func aClientThatLosesItsSessionToAnotherNodeAgainAndAgainWaitsBeforeItsClaim() {
        var core = Self.core()
        for _ in 0..<Limits().maximumQuickTakeovers {
            _ = core.connect("c", properties: Self.lasting)
            _ = core.answerClaim(TakenSessions())
            _ = core.step(.sessionLost(clientIdentifier: "c"))
        }
        _ = core.connect("c", properties: Self.lasting)
        #expect(core.pendingCommands.isEmpty)
        #expect(core.counters.connectsDelayed == 1)
        _ = core.advance(by: .milliseconds(100))
        guard case .claim("c") = core.pendingCommands.first?.command else {
            Issue.record("\(core.pendingCommands)")
            return
        }
        let seen = core.answerClaim(TakenSessions(sessions: [Self.session("c")]))
        #expect(seen.last == .resumeReading(slot: 10))
    }

    @Test("P2: the end of a session leaves the client identifier to every node")
    func theEndOfASessionIsADeparture() {
        var core = Self.core()
        let connection = core.connect("c")
        _ = core.answerClaim(TakenSessions())
        core.notes = []
        _ = core.step(.connectionClosed(connection))
        #expect(Self.departures(core) == ["c"])
    }

    @Test("P2: a session that is replaced stays this node's", arguments: [false, true])
    func aCleanStartIsNoDeparture(lasts: Bool) {
        var core = Self.core()
        _ = core.connect("c", cleanStart: true, properties: lasts ? Self.lasting : [])
        let seen = core.answerClaim(TakenSessions(sessions: [Self.session("c")]))
        #expect(seen.contains(.connAck(slot: 0, .success, isSessionPresent: false)))
        #expect(Self.departures(core) == [])
        let second = core.open()
        _ = core.connect(on: second, "c", cleanStart: true)
        #expect(Self.departures(core) == [])
    }

    @Test("P5: the will of a connection that a CONNECT on another node takes over is published here")
    func theWillComesWithTheSession() {
        var core = Self.core()
        var session = Self.session("c")
        session.will = Will(message: Self.message("w"), delayInterval: 0)
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        _ = core.answerClaim(TakenSessions(sessions: [session]))
        #expect(core.pendingWills == ["c"])
    }

    @Test("MQTT-3.1.3-9: a delayed will is not published when the client is back in time, on whatever node")
    func aDelayedWillIsCancelledOnAnotherNode() {
        var core = Self.core()
        var session = Self.session("c")
        session.will = Will(message: Self.message("w"), delayInterval: 10)
        session.willDueIn = 5
        _ = core.connect("c", cleanStart: false, properties: Self.lasting)
        _ = core.answerClaim(TakenSessions(sessions: [session]))
        _ = core.advance(by: .seconds(20))
        #expect(core.pendingWills == [])
    }

    @Test("P5, P1: the sessions of a node that died are taken up without a CONNECT")
    func sessionsOfADeadNodeComeByThemselves() {
        var core = Self.core()
        var session = Self.session("c")
        session.will = Will(message: Self.message("w"), delayInterval: 0)
        _ = core.step(
            .sessionsTaken(nil, TakenSessions(sessions: [session], entries: [Self.entry(1, "t/1")])))
        #expect(core.pendingWills == ["c"])
        let connection = core.open()
        let seen = core.connect(on: connection, "c", cleanStart: false, properties: Self.lasting)
        #expect(seen.contains(.connAck(slot: 0, .success, isSessionPresent: true)))
        #expect(CoreHarness.topics(seen) == ["t/1"])
    }

    @Test("P4: SUBACK waits for what other nodes acknowledged before")
    func aSubAckWaitsForTheLog() {
        var core = Self.core()
        let connection = core.connect("c")
        _ = core.answerClaim(TakenSessions())
        core.answersNotesAtOnce = false
        #expect(core.subscribe(connection, to: "t/#") == [])
        #expect(core.answer(.done) == [.subAck(slot: 0, [.grantedQoS2])])
    }

    @Test("P1: a message with QoS > 0 goes through the log, since another node may want it")
    func everyMessageWithQoSGoesThroughTheLog() {
        var core = Self.core()
        let connection = core.connect("c")
        _ = core.answerClaim(TakenSessions())
        #expect(core.publish(connection, "t", qos: .atLeastOnce, identifier: 1) == [])
        guard case .append(let append) = core.pendingCommands.first?.command else {
            Issue.record("\(core.pendingCommands)")
            return
        }
        #expect(append.isKept)
    }
}

extension CoreHarness {
    fileprivate mutating func connect(
        on connection: ConnectionID, _ client: String, cleanStart: Bool, properties: Properties = []
    ) -> [Seen] {
        step(
            .packetReceived(
                connection,
                .connect(
                    Connect(
                        version: .v5_0, clientIdentifier: client, cleanStart: cleanStart, properties: properties))))
    }

    fileprivate mutating func answerClaim(_ taken: TakenSessions?) -> [Seen] {
        guard let index = pendingCommands.firstIndex(where: { if case .claim = $0.command { true } else { false } })
        else { return [] }
        return step(.sessionsTaken(takePending(at: index).token, taken))
    }

    /// Clients whose wills the backbone is to take.
    fileprivate var pendingWills: [String] {
        pendingCommands.compactMap { if case .append(let append) = $0.command { append.willOf } else { nil } }
    }

    fileprivate static func topics(_ seen: [Seen]) -> [String] {
        seen.compactMap { if case .publish(_, let topic, _, _, _) = $0 { topic } else { nil } }
    }

    fileprivate static func slots(_ seen: [Seen]) -> [UInt32] {
        seen.compactMap { if case .publish(let slot, _, _, _, _) = $0 { slot } else { nil } }
    }
}
