import AccessControl
import Backbone
import BrokerCore
import MQTTModel
import Testing

@Suite("Authentication")
struct AuthenticationTests {
    private struct Exchange: AuthenticationExchange { let number: Int }

    private func options(_ change: (inout BrokerOptions) -> Void = { _ in }) -> BrokerOptions {
        var options = BrokerOptions()
        options.statusInterval = .zero
        options.access = AccessPolicy(checksClients: true)
        change(&options)
        return options
    }

    private func connect(
        _ client: String, version: ProtocolVersion = .v5_0, clean: Bool = true, properties: Properties = []
    ) -> Packet {
        .connect(
            Connect(
                version: version, clientIdentifier: client, cleanStart: clean, userName: "alice", password: [1, 2],
                properties: properties))
    }

    @Test func nothingIsAnsweredUntilTheClientIsKnown() {
        var core = CoreHarness(options: options())
        let connection = core.open()
        #expect(
            core.step(.packetReceived(connection, connect("c"))) == [.pauseReading(slot: 0), .authenticate(slot: 0)])
        #expect(core.requests.first?.userName == "alice")
        #expect(core.requests.first?.password == [1, 2])
        #expect(
            core.step(.authenticated(connection, .allowed(AccessGrant(userName: "alice")))) == [
                .connAck(slot: 0, .success, isSessionPresent: false), .resumeReading(slot: 0),
            ])
    }

    @Test func aSessionThatIsNotedOpensItsGateOnce() {
        var core = CoreHarness(options: options())
        core.answersNotesAtOnce = false
        let connection = core.open()
        _ = core.step(.packetReceived(connection, connect("c", properties: [.sessionExpiryInterval(100)])))
        #expect(
            core.step(.authenticated(connection, .allowed(AccessGrant(userName: "alice")))) == [
                .pauseReading(slot: 0)
            ])
        #expect(
            core.answer(.done) == [
                .connAck(slot: 0, .success, isSessionPresent: false), .resumeReading(slot: 0),
            ])
    }

    /// MQTT-3.1.4-2.
    @Test(arguments: [ReasonCode.badUserNameOrPassword, .notAuthorized])
    func whoIsNotLetInIsToldAndClosed(_ reasonCode: ReasonCode) {
        var core = CoreHarness(options: options())
        let connection = core.open()
        _ = core.step(.packetReceived(connection, connect("c")))
        #expect(
            core.step(.authenticated(connection, .denied(reasonCode))) == [
                .connAck(slot: 0, reasonCode, isSessionPresent: false), .close(slot: 0),
            ])
        #expect(core.counters.authenticationsDenied == 1)
    }

    @Test func anEarlierConnectionStaysUntilTheNewOneIsKnown() {
        var core = CoreHarness(options: options())
        let first = core.open()
        _ = core.step(.packetReceived(first, connect("c")))
        _ = core.step(.authenticated(first, .allowed(AccessGrant(userName: "alice"))))
        let second = core.open()
        _ = core.step(.packetReceived(second, connect("c")))
        _ = core.step(.authenticated(second, .denied(.badUserNameOrPassword)))
        #expect(
            core.publish(first, "t", qos: .atLeastOnce, identifier: 1).first
                == .acknowledge(slot: 0, .pubAck, 1, .noMatchingSubscribers))
        let third = core.open()
        _ = core.step(.packetReceived(third, connect("c")))
        #expect(
            core.step(.authenticated(third, .allowed(AccessGrant(userName: "alice")))).first
                == .disconnect(slot: 0, .sessionTakenOver))
    }

    @Test func asManyClientsAreCheckedAsMayBe() {
        var core = CoreHarness(options: options { $0.limits.maximumPendingAuthentications = 1 })
        let first = core.open()
        _ = core.step(.packetReceived(first, connect("a")))
        let second = core.open()
        #expect(
            core.step(.packetReceived(second, connect("b"))) == [
                .connAck(slot: 1, .serverBusy, isSessionPresent: false), .close(slot: 1),
            ])
        #expect(core.counters.authenticationsRefused == 1)
        // One that goes leaves its place.
        _ = core.step(.connectionClosed(first))
        let third = core.open()
        #expect(core.step(.packetReceived(third, connect("b"))).last == .authenticate(slot: 2))
    }

    @Test func anAnswerThatDoesNotComeIsNotWaitedFor() {
        var core = CoreHarness(options: options { $0.limits.authenticationTimeout = .seconds(3) })
        let connection = core.open()
        _ = core.step(.packetReceived(connection, connect("c")))
        #expect(core.advance(by: .seconds(2)).isEmpty)
        #expect(
            core.advance(by: .seconds(1)) == [
                .connAck(slot: 0, .serverUnavailable, isSessionPresent: false), .close(slot: 0),
            ])
        #expect(core.counters.authenticationTimeouts == 1)
        #expect(core.counters.connectTimeouts == 0)
        // Too late.
        #expect(core.step(.authenticated(connection, .allowed(AccessGrant(userName: nil)))).isEmpty)
    }

    @Test func anAnswerForAConnectionThatIsGoneIsNotMissed() {
        var core = CoreHarness(options: options())
        let connection = core.open()
        _ = core.step(.packetReceived(connection, connect("c")))
        _ = core.step(.connectionClosed(connection))
        #expect(core.step(.authenticated(connection, .allowed(AccessGrant(userName: nil)))).isEmpty)
    }

    @Test func aGrantThatEndsDisconnects() {
        var core = CoreHarness(options: options())
        let connection = core.open()
        _ = core.step(.packetReceived(connection, connect("c")))
        _ = core.step(.authenticated(connection, .allowed(AccessGrant(userName: "a", lifetime: .seconds(60)))))
        #expect(core.advance(by: .seconds(59)).isEmpty)
        #expect(
            core.advance(by: .seconds(1)) == [.disconnect(slot: 0, .maximumConnectTime), .close(slot: 0)])
    }

    // MARK: Enhanced authentication (5.0 section 4.12)

    private let method: Properties = [.authenticationMethod("M"), .authenticationData([1])]

    private func auth(_ reasonCode: ReasonCode, _ method: String = "M", _ data: [UInt8] = [2]) -> Packet {
        .auth(Auth(reasonCode: reasonCode, properties: [.authenticationMethod(method), .authenticationData(data)]))
    }

    /// MQTT-4.12.0-2, MQTT-4.12.0-5.
    @Test func theExchangeEndsInAConnAckWithItsMethod() {
        var core = CoreHarness(options: options())
        let connection = core.open()
        _ = core.step(.packetReceived(connection, connect("c", properties: method)))
        #expect(core.requests.last?.method == "M")
        #expect(core.requests.last?.data == [1])
        #expect(
            core.step(.authenticated(connection, .challenge([7], Exchange(number: 1)))) == [
                .auth(slot: 0, .continueAuthentication, [.authenticationMethod("M"), .authenticationData([7])]),
                .resumeReading(slot: 0),
            ])
        #expect(
            core.step(.packetReceived(connection, auth(.continueAuthentication))) == [
                .pauseReading(slot: 0), .authenticate(slot: 0),
            ])
        #expect((core.requests.last?.exchange as? Exchange)?.number == 1)
        #expect(core.requests.last?.data == [2])
        #expect(
            core.step(.authenticated(connection, .allowed(AccessGrant(userName: "a", data: [9])))).first
                == .connAck(slot: 0, .success, isSessionPresent: false))
        #expect(core.connAckProperties.last?.authenticationMethod == "M")
        #expect(core.connAckProperties.last?.authenticationData == [9])
    }

    /// MQTT-3.1.2-30.
    @Test(arguments: [
        Packet.pingReq,
        .auth(Auth(reasonCode: .continueAuthentication, properties: [.authenticationMethod("N")])),
        .auth(Auth(reasonCode: .reauthenticate, properties: [.authenticationMethod("M")])),
        .auth(Auth(reasonCode: .continueAuthentication)),
    ])
    func anythingButTheMethodsAuthEndsTheExchange(_ packet: Packet) {
        var core = CoreHarness(options: options())
        let connection = core.open()
        _ = core.step(.packetReceived(connection, connect("c", properties: method)))
        _ = core.step(.authenticated(connection, .challenge([7], Exchange(number: 1))))
        #expect(
            core.step(.packetReceived(connection, packet)) == [
                .connAck(slot: 0, .protocolError, isSessionPresent: false), .close(slot: 0),
            ])
    }

    @Test func aChallengeThatTheClientCannotTakeIsNotSent() {
        var core = CoreHarness(options: options())
        let connection = core.open()
        let properties = Properties(method.all + [.maximumPacketSize(20)])
        _ = core.step(.packetReceived(connection, connect("c", properties: properties)))
        let outcome = AuthenticationOutcome.challenge(Array(repeating: 7, count: 20), Exchange(number: 1))
        #expect(
            core.step(.authenticated(connection, outcome)) == [
                .connAck(slot: 0, .packetTooLarge, isSessionPresent: false), .close(slot: 0),
            ])
    }

    private func connected(_ core: inout CoreHarness) -> ConnectionID {
        let connection = core.open()
        _ = core.step(.packetReceived(connection, connect("c", properties: method)))
        _ = core.step(.authenticated(connection, .allowed(AccessGrant(userName: "a", lifetime: .seconds(60)))))
        return connection
    }

    @Test func aClientProvesItselfAgainWhileItPublishes() {
        var core = CoreHarness(options: options())
        let connection = connected(&core)
        #expect(core.step(.packetReceived(connection, auth(.reauthenticate))) == [.authenticate(slot: 0)])
        #expect(core.requests.last?.renewedUserName == "a")
        #expect(core.publish(connection, "t", qos: .atLeastOnce, identifier: 1).count == 1)
        _ = core.step(.authenticated(connection, .challenge([7], Exchange(number: 2))))
        #expect(core.step(.packetReceived(connection, auth(.continueAuthentication))) == [.authenticate(slot: 0)])
        #expect(
            core.step(
                .authenticated(connection, .allowed(AccessGrant(userName: "a", lifetime: .seconds(90), data: [9]))))
                == [.auth(slot: 0, .success, [.authenticationMethod("M"), .authenticationData([9])])])
        // For as long as it was granted now, not as before.
        #expect(core.advance(by: .seconds(80)).isEmpty)
        #expect(core.advance(by: .seconds(10)).first == .disconnect(slot: 0, .maximumConnectTime))
    }

    /// MQTT-4.12.1-2.
    @Test func aProofThatFailsEndsTheConnection() {
        var core = CoreHarness(options: options())
        let connection = connected(&core)
        _ = core.step(.packetReceived(connection, auth(.reauthenticate)))
        #expect(
            core.step(.authenticated(connection, .denied(.badUserNameOrPassword))) == [
                .disconnect(slot: 0, .notAuthorized), .close(slot: 0),
            ])
    }

    @Test func nobodyBecomesSomebodyElse() {
        var core = CoreHarness(options: options())
        let connection = connected(&core)
        _ = core.step(.packetReceived(connection, auth(.reauthenticate)))
        #expect(
            core.step(.authenticated(connection, .allowed(AccessGrant(userName: "b")))).first
                == .disconnect(slot: 0, .notAuthorized))
    }

    @Test func aProofThatDoesNotComeToAnEndEndsTheConnection() {
        var core = CoreHarness(options: options { $0.limits.authenticationTimeout = .seconds(3) })
        let connection = connected(&core)
        _ = core.step(.packetReceived(connection, auth(.reauthenticate)))
        _ = core.step(.authenticated(connection, .allowed(AccessGrant(userName: "a"))))
        #expect(core.advance(by: .seconds(3)).isEmpty)
        _ = core.step(.packetReceived(connection, auth(.reauthenticate)))
        #expect(core.advance(by: .seconds(3)).first == .disconnect(slot: 0, .notAuthorized))
    }

    /// MQTT-4.12.1-1.
    @Test func anotherMethodIsAnError() {
        var core = CoreHarness(options: options())
        let connection = connected(&core)
        #expect(
            core.step(.packetReceived(connection, auth(.reauthenticate, "N"))).first
                == .disconnect(slot: 0, .protocolError))
    }

    @Test func aSecondProofBeforeTheFirstIsAnsweredIsAnError() {
        var core = CoreHarness(options: options())
        let connection = connected(&core)
        _ = core.step(.packetReceived(connection, auth(.reauthenticate)))
        #expect(
            core.step(.packetReceived(connection, auth(.reauthenticate))).first
                == .disconnect(slot: 0, .protocolError))
    }
}
