import MQTTModel
import MQTTSession
import Testing

@Suite struct ClientSessionConnectionTests {
    @Test func connectIsTheFirstPacketAndConnAckTheAnswer() {
        let client = ClientTrace()
        #expect(client.connect(cleanStart: true) == ["CONNECT c clean"])
        #expect(client.connAck() == ["· connected"])
    }

    @Test func refusedConnectionIsClosed() {
        let client = ClientTrace()
        _ = client.connect()
        #expect(
            client.connAck(.notAuthorized) == [
                "· refused: not authorized", "close", "· ended: refused(not authorized)",
            ])
    }

    @Test func connectionWithoutConnAckTimesOut() {
        let client = ClientTrace { $0.connectTimeout = .seconds(3) }
        _ = client.connect()
        #expect(client.deadline == Instant(nanoseconds: 3_000_000_000))
        #expect(client.pass(.seconds(2)) == [])
        #expect(client.pass(.seconds(1)) == ["close", "· ended: connectTimedOut"])
        #expect(client.deadline == .distantFuture)
    }

    @Test("MQTT-3.2.0-1: the first packet of the server is CONNACK")
    func packetBeforeConnAckIsAViolation() {
        let client = ClientTrace()
        _ = client.connect()
        #expect(client.receivePublish("t") == ["close", "· violation MQTT-3.2.0-1: protocol error"])
    }

    @Test("MQTT-3.2.0-2: one CONNACK for a connection")
    func secondConnAckIsAViolation() {
        let client = ClientTrace.connected()
        #expect(
            client.connAck() == ["DISCONNECT protocol error", "close", "· violation MQTT-3.2.0-2: protocol error"])
    }

    @Test("MQTT-3.2.2-2: no session after a clean start")
    func sessionPresentAfterACleanStartIsAViolation() {
        let client = ClientTrace()
        _ = client.connect(cleanStart: true)
        #expect(
            client.connAck(isSessionPresent: true) == ["close", "· violation MQTT-3.2.2-2: protocol error"])
    }

    @Test("MQTT-3.2.2-6: no session with a refusal")
    func sessionPresentWithARefusalIsAViolation() {
        let client = ClientTrace()
        _ = client.connect()
        #expect(
            client.connAck(isSessionPresent: true, .banned) == [
                "close", "· violation MQTT-3.2.2-2: protocol error",
            ])
    }

    @Test("MQTT-3.2.2-16: the assigned client identifier is used from then on")
    func assignedClientIdentifierIsUsedForTheNextConnection() {
        let client = ClientTrace()
        #expect(client.connect(clientIdentifier: "") == ["CONNECT "])
        _ = client.connAck(properties: [.assignedClientIdentifier("auto-1")])
        _ = client.lose()
        #expect(client.connect(clientIdentifier: "") == ["CONNECT auto-1"])
    }

    @Test func disconnectSaysGoodbye() {
        let client = ClientTrace.connected()
        #expect(
            client.disconnect(.disconnectWithWill) == [
                "DISCONNECT disconnect with will message", "close", "· ended: requested",
            ])
        #expect(client.lose() == [])
    }

    @Test func disconnectWithWillIsAPlainCloseBefore5() {
        let client = ClientTrace.connected(version: .v3_1_1)
        #expect(client.disconnect(.disconnectWithWill) == ["close", "· ended: requested"])
    }

    @Test func serverMayDisconnectIn5() {
        let client = ClientTrace.connected()
        let actions = client.receive(.disconnect(Disconnect(reasonCode: .sessionTakenOver)))
        #expect(actions.first == "close")
        #expect(actions.count == 2)
    }

    @Test(arguments: [ProtocolVersion.v3_1, .v3_1_1])
    func serverMayNotDisconnectBefore5(version: ProtocolVersion) {
        let client = ClientTrace.connected(version: version)
        #expect(
            client.receive(.disconnect(Disconnect())) == ["close", "· violation 5.0 section 2.1.2: protocol error"])
    }

    @Test func packetsOfAClientFromTheServerAreViolations() {
        for packet in [Packet.pingReq, .unsubscribe(Unsubscribe(packetIdentifier: 1, filters: ["a"]))] {
            let client = ClientTrace.connected()
            let actions = client.receive(packet)
            #expect(actions.contains("DISCONNECT protocol error"))
        }
    }

    @Test func nothingHappensWithoutAConnection() {
        let client = ClientTrace()
        #expect(client.lose() == [])
        #expect(client.disconnect() == [])
        #expect(client.receive(.pingResp) == [])
        #expect(client.pass(.seconds(100)) == [])
    }

    @Test func authenticationOnlyWhereItWasAskedFor() {
        let client = ClientTrace()
        _ = client.connect(properties: [.authenticationMethod("SCRAM")])
        #expect(client.receive(.auth(Auth(reasonCode: .continueAuthentication))) == ["· authentication"])
        let other = ClientTrace.connected()
        #expect(other.receive(.auth(Auth())).contains("DISCONNECT protocol error"))
    }

    // MARK: Keep alive

    @Test("MQTT-3.1.2-20: a ping when nothing was sent for the keep alive")
    func quietClientPings() {
        let client = ClientTrace.connected(keepAlive: 60)
        #expect(client.deadline == .zero.advanced(seconds: 60))
        #expect(client.pass(.seconds(59)) == [])
        #expect(client.pass(.seconds(1)) == ["PINGREQ"])
        #expect(client.deadline == .zero.advanced(seconds: 70))
        #expect(client.receive(.pingResp) == [])
        #expect(client.deadline == .zero.advanced(seconds: 120))
    }

    @Test func missingPingResponseEndsTheConnection() {
        let client = ClientTrace.connected(keepAlive: 60) { $0.pingTimeout = .seconds(5) }
        #expect(client.pass(.seconds(60)) == ["PINGREQ"])
        #expect(client.pass(.seconds(5)) == ["close", "· ended: pingTimedOut"])
    }

    @Test func busySenderStillFindsASilentServer() {
        let client = ClientTrace.connected(keepAlive: 60)
        #expect(client.pass(.seconds(59)) == [])
        #expect(client.publish("t") == ["PUBLISH t"])
        #expect(client.pass(.seconds(1)) == ["PINGREQ"])
    }

    @Test("MQTT-3.2.2-21: the server's keep alive counts")
    func serverKeepAliveReplacesTheClients() {
        let client = ClientTrace.connected(keepAlive: 60, server: [.serverKeepAlive(10)])
        #expect(client.pass(.seconds(10)) == ["PINGREQ"])
    }

    @Test func keepAliveOfZeroNeverPings() {
        let client = ClientTrace.connected(keepAlive: 0)
        #expect(client.deadline == .distantFuture)
    }

    @Test func whoDoesNotReadGoesOnPingingAndDoesNotTimeOut() {
        let client = ClientTrace.connected(keepAlive: 60)
        client.session.readingPaused()
        #expect(client.pass(.seconds(60)) == ["PINGREQ"])
        #expect(client.pass(.seconds(59)) == [])
        #expect(client.pass(.seconds(1)) == ["PINGREQ"])
        client.session.readingResumed(at: client.now)
        #expect(client.pass(.seconds(9)) == [])
        #expect(client.pass(.seconds(1)) == ["close", "· ended: pingTimedOut"])
    }

    // MARK: Subscriptions

    @Test func subscribeIsAnsweredByPacketIdentifier() {
        let client = ClientTrace.connected()
        #expect(client.subscribe("a", "b") == ["SUBSCRIBE #1 a,b"])
        #expect(client.unsubscribe("c") == ["UNSUBSCRIBE #2 c"])
        #expect(
            client.receive(.unsubAck(UnsubAck(packetIdentifier: 2, reasonCodes: [.success]))) == ["· unsubscribed"])
        #expect(
            client.receive(.subAck(SubAck(packetIdentifier: 1, reasonCodes: [.grantedQoS1, .notAuthorized]))) == [
                "· subscribed: granted QoS 1,not authorized"
            ])
    }

    @Test func requestWithoutAnswerIsReportedWhenTheConnectionEnds() {
        let client = ClientTrace.connected()
        _ = client.subscribe("a")
        #expect(client.lose() == ["· unanswered", "· ended: lost"])
    }

    @Test("MQTT-3.8.4-6: a reason code for each filter")
    func subAckOfTheWrongLengthIsAViolation() {
        let client = ClientTrace.connected()
        _ = client.subscribe("a", "b")
        #expect(
            client.receive(.subAck(SubAck(packetIdentifier: 1, reasonCodes: [.success]))) == [
                "· unanswered", "DISCONNECT protocol error", "close", "· violation MQTT-3.8.4-6: protocol error",
            ])
    }

    @Test func subAckForNothingIsAViolation() {
        let client = ClientTrace.connected()
        #expect(
            client.receive(.subAck(SubAck(packetIdentifier: 1, reasonCodes: [.success])))
                .contains("· violation MQTT-3.8.4-2: protocol error"))
    }

    @Test func pendingRequestsAreBounded() {
        let client = ClientTrace.connected { $0.maximumPendingRequests = 1 }
        #expect(client.subscribe("a") == ["SUBSCRIBE #1 a"])
        #expect(client.subscribe("b") == ["close"])
    }
}
