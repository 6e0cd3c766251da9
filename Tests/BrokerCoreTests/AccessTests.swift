import AccessControl
import Backbone
import BrokerCore
import MQTTModel
import Testing

@Suite("Access")
struct AccessTests {
    private func policy(_ text: String) -> AccessPolicy {
        var problems: [AccessProblem] = []
        let policy = AccessPolicy(rules: AccessRuleSet(parsing: text, problems: &problems))
        #expect(problems.isEmpty)
        return policy
    }

    private func core(_ rules: String, _ change: (inout AccessPolicy) -> Void = { _ in }) -> CoreHarness {
        var options = BrokerOptions()
        options.statusInterval = .zero
        var policy = policy(rules)
        change(&policy)
        options.access = policy
        return CoreHarness(options: options)
    }

    // MARK: Publishing

    @Test func aDeniedPublishIsToldInFive() {
        var core = core("allow everyone read #")
        let connection = core.connect("c")
        #expect(core.publish(connection, "t", qos: .atMostOnce).isEmpty)
        #expect(
            core.publish(connection, "t", qos: .atLeastOnce, identifier: 1) == [
                .acknowledge(slot: 0, .pubAck, 1, .notAuthorized)
            ])
        // The identifier of a refused QoS 2 message is free again.
        for _ in 0..<2 {
            #expect(
                core.publish(connection, "t", qos: .exactlyOnce, identifier: 2) == [
                    .acknowledge(slot: 0, .pubRec, 2, .notAuthorized)
                ])
        }
        #expect(core.counters.publishesDenied == 4)
    }

    @Test func aDeniedPublishReachesNobodyAndIsNotRetained() {
        var core = core("allow everyone read #\nallow client good write #")
        let subscriber = core.connect("s")
        _ = core.subscribe(subscriber, to: "#")
        let bad = core.connect("bad")
        #expect(core.publish(bad, "t", qos: .atMostOnce, isRetained: true).isEmpty)
        let late = core.connect("late")
        #expect(core.subscribe(late, to: "#") == [.subAck(slot: 2, [.grantedQoS2])])
    }

    @Test func aDeniedPublishInThreeIsAcknowledgedAndDropped() {
        var core = core("allow everyone read #")
        let connection = core.connect("c", version: .v3_1_1)
        #expect(
            core.publish(connection, "t", qos: .atLeastOnce, identifier: 1) == [
                .acknowledge(slot: 0, .pubAck, 1, .success)
            ])
    }

    @Test func aDeniedPublishInThreeClosesWhereTheSettingSaysSo() {
        var core = core("allow everyone read #") { $0.deniedPublish = .close }
        let connection = core.connect("c", version: .v3_1_1)
        #expect(core.publish(connection, "t", qos: .exactlyOnce, identifier: 1) == [.close(slot: 0)])
    }

    @Test func aWillThatMayNotBePublishedIsRefusedWithItsConnect() {
        var core = core("allow everyone write ok")
        let connection = core.open()
        let will = Will(message: ApplicationMessage(topic: "no", payload: [1], qos: .atMostOnce, isRetained: false))
        let connect = Connect(version: .v5_0, clientIdentifier: "c", will: will)
        #expect(
            core.step(.packetReceived(connection, .connect(connect))) == [
                .connAck(slot: 0, .notAuthorized, isSessionPresent: false), .close(slot: 0),
            ])
    }

    @Test func aWillWhosePermissionIsRevokedIsNotPublished() {
        var core = core("allow everyone readwrite #")
        let subscriber = core.connect("s")
        _ = core.subscribe(subscriber, to: "#")
        let will = Will(message: ApplicationMessage(topic: "w", payload: [1], qos: .atMostOnce, isRetained: false))
        let connection = core.connect("c", will: will)
        _ = core.step(.accessChanged(policy("allow everyone read #")))
        #expect(core.step(.connectionClosed(connection)).isEmpty)
    }

    // MARK: Subscribing

    @Test func aDeniedSubscriptionIsToldAndNotMade() {
        var core = core("allow everyone read a/#\nallow everyone write #")
        let connection = core.connect("c")
        #expect(core.subscribe(connection, to: "#") == [.subAck(slot: 0, [.notAuthorized])])
        #expect(core.subscribe(connection, to: "$share/g/#") == [.subAck(slot: 0, [.notAuthorized])])
        #expect(core.subscribe(connection, to: "$share/g/a/+") == [.subAck(slot: 0, [.grantedQoS2])])
        #expect(core.subscribe(connection, to: "a/b") == [.subAck(slot: 0, [.grantedQoS2])])
        #expect(core.publish(connection, "b", qos: .atMostOnce).isEmpty)
        #expect(core.counters.subscriptionsDenied == 2)
    }

    @Test func systemTopicsNeedARuleOfTheirOwn() {
        var core = core("allow everyone read #")
        let connection = core.connect("c")
        #expect(core.subscribe(connection, to: "$SYS/#") == [.subAck(slot: 0, [.notAuthorized])])
    }

    // MARK: Receiving

    @Test func whatMayNotBeReceivedIsNotDelivered() {
        var core = core(
            """
            allow client p write #
            allow everyone subscribe #
            allow everyone receive a/#
            """)
        let publisher = core.connect("p")
        _ = core.publish(publisher, "b", qos: .atMostOnce, isRetained: true)
        _ = core.answer(.done)
        let subscriber = core.connect("s")
        #expect(core.subscribe(subscriber, to: "#") == [.subAck(slot: 1, [.grantedQoS2])])
        for qos in [QoS.atMostOnce, .atLeastOnce] {
            let seen = core.publish(publisher, "b", qos: qos, identifier: qos == .atMostOnce ? 0 : 1)
            #expect(!seen.contains { if case .publish = $0 { true } else { false } })
        }
        #expect(core.publish(publisher, "a", qos: .atMostOnce).count == 1)
        #expect(core.counters.deliveriesDenied >= 2)
    }

    // MARK: Other rules

    @Test func aRevokedPermissionEndsTheSubscription() {
        var core = core("allow everyone readwrite #")
        let connection = core.connect("c")
        _ = core.subscribe(connection, to: "a/#")
        _ = core.subscribe(connection, to: "b/#")
        #expect(core.publish(connection, "a/x", qos: .atMostOnce).count == 1)
        _ = core.step(.accessChanged(policy("allow everyone read b/#\nallow everyone write #")))
        #expect(core.publish(connection, "a/x", qos: .atMostOnce).isEmpty)
        #expect(core.publish(connection, "b/x", qos: .atMostOnce).count == 1)
        #expect(core.counters.subscriptionsRevoked == 1)
    }

    @Test func aRevokedPermissionEndsWhatASessionThatIsAwayHasAndWaitsFor() {
        var core = core("allow everyone readwrite #")
        let away = core.connect("away", properties: [.sessionExpiryInterval(1000)])
        _ = core.subscribe(away, to: "a/#")
        _ = core.subscribe(away, to: "b/#")
        _ = core.step(.connectionClosed(away))
        let publisher = core.connect("p")
        for topic in ["a/1", "b/1"] {
            _ = core.publish(publisher, topic, qos: .atLeastOnce, identifier: 1)
            while !core.pendingCommands.isEmpty { _ = core.answer(.done) }
        }
        _ = core.step(.accessChanged(policy("allow everyone read b/#")))
        let back = core.open()
        let seen = core.step(
            .packetReceived(
                back,
                .connect(
                    Connect(
                        version: .v5_0, clientIdentifier: "away", cleanStart: false,
                        properties: [.sessionExpiryInterval(1000)]))))
        let topics = seen.compactMap { if case .publish(_, let topic, _, _, _) = $0 { topic } else { nil } }
        #expect(topics == ["b/1"])
    }

    /// Somebody else comes with the client identifier of a session that waits.
    @Test func aSessionDoesNotGiveAnotherUserWhatItMayNotHave() {
        var options = BrokerOptions()
        options.statusInterval = .zero
        options.access = policy("allow user alice readwrite #\nallow user bob read b")
        options.access?.checksClients = true
        var core = CoreHarness(options: options)
        func connect(_ core: inout CoreHarness, _ user: String) -> (ConnectionID, [CoreHarness.Seen]) {
            let connection = core.open()
            let packet = Connect(
                version: .v5_0, clientIdentifier: "c", cleanStart: false,
                properties: [.sessionExpiryInterval(1000)])
            _ = core.step(.packetReceived(connection, .connect(packet)))
            return (connection, core.step(.authenticated(connection, .allowed(AccessGrant(userName: user)))))
        }
        let (alice, _) = connect(&core, "alice")
        _ = core.subscribe(alice, to: "a")
        // One is sent and not acknowledged, the others wait.
        _ = core.publish(alice, "a", qos: .atLeastOnce, identifier: 1)
        while !core.pendingCommands.isEmpty { _ = core.answer(.done) }
        _ = core.step(.connectionClosed(alice))
        let (_, seen) = connect(&core, "bob")
        #expect(!seen.contains { if case .publish = $0 { true } else { false } })
        #expect(core.counters.subscriptionsRevoked == 1)
    }

    @Test func anUnrestrictedClientMayEverything() {
        var options = BrokerOptions()
        options.statusInterval = .zero
        options.access = policy("")
        options.access?.checksClients = true
        var core = CoreHarness(options: options)
        let connection = core.open()
        _ = core.step(.packetReceived(connection, .connect(Connect(version: .v5_0, clientIdentifier: "c"))))
        _ = core.step(.authenticated(connection, .allowed(AccessGrant(userName: "root", isUnrestricted: true))))
        #expect(core.subscribe(connection, to: "#") == [.subAck(slot: 0, [.grantedQoS2])])
        #expect(core.publish(connection, "t", qos: .atMostOnce).count == 1)
    }
}
