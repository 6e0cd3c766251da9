import MQTTBridge
import MQTTModel
import Testing

@Suite("The link of a bridge")
struct LinkTests {
    private static let both = [BridgeTopic("#", .both)]

    /// The local session sends as soon as it is connected, so it is connected last.
    @Test func theRemoteBrokerIsConnectedFirst() {
        let harness = BridgeHarness(Self.both)
        harness.step(.started)
        #expect(harness.opened.map(\.side) == [.remote])
        #expect(!harness.isReading(.remote))
        harness.step(.connectionOpened(.remote))
        #expect(harness.isReading(.remote))
        harness.receive(.connAck(ConnAck(reasonCode: .success)), from: .remote)
        #expect(harness.opened.map(\.side) == [.remote, .local])
        // Its session may send at once: not before the local broker takes it.
        #expect(!harness.isReading(.remote))
    }

    @Test func bothSessionsAreKept() {
        let harness = BridgeHarness(Self.both)
        harness.connect()
        for connect in harness.connects {
            #expect(!connect.packet.cleanStart)
            #expect(connect.packet.properties.sessionExpiryInterval ?? 0 > 0)
        }
        #expect(harness.connects.map(\.packet.clientIdentifier) == ["edge7", "bridge/cloud"])
    }

    @Test func whenOneSideEndsBothDoAndComeBack() {
        let harness = BridgeHarness(Self.both)
        harness.connect()
        harness.step(.connectionClosed(.remote))
        #expect(harness.closed == [.local, .remote])
        #expect(harness.events.last == .disconnected(.remote, .lost, delay: .milliseconds(750)))
        harness.now = harness.deadline
        harness.step(.deadlineReached)
        #expect(harness.opened.map(\.side) == [.remote, .local, .remote])
    }

    @Test func delaysGrowAndALinkThatLastedBeginsAnew() {
        let harness = BridgeHarness(Self.both)
        harness.step(.started)
        var delays: [Duration] = []
        for _ in 0..<8 {
            harness.step(.connectionFailed(.remote, "refused"))
            if case .disconnected(_, _, let delay)? = harness.events.last { delays.append(delay * 4 / 3) }
            harness.now = harness.deadline
            harness.step(.deadlineReached)
        }
        #expect(delays == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
        #expect(harness.opened.map(\.attempt) == Array(0...8))
        harness.connect()
        harness.step(.connectionClosed(.remote))
        #expect(harness.events.last == .disconnected(.remote, .lost, delay: .seconds(45)))
        harness.now = harness.deadline
        harness.step(.deadlineReached)
        harness.connect()
        harness.now = harness.now.advanced(seconds: 61)
        harness.step(.connectionClosed(.remote))
        #expect(harness.events.last == .disconnected(.remote, .lost, delay: .milliseconds(750)))
    }

    @Test func anAnswerThatDoesNotComeEndsTheAttempt() {
        let harness = BridgeHarness(Self.both)
        harness.step(.started)
        harness.step(.connectionOpened(.remote))
        harness.now = harness.deadline
        harness.step(.deadlineReached)
        guard case .disconnected(.remote, .connectTimedOut, _)? = harness.events.last else {
            Issue.record("\(harness.events)")
            return
        }
    }

    /// Section 3.1.2.10.
    @Test func aDeadLinkIsFoundByAPing() {
        let harness = BridgeHarness(Self.both)
        harness.connect()
        _ = harness.take(.local)
        _ = harness.take(.remote)
        harness.now = harness.deadline
        harness.step(.deadlineReached)
        #expect(harness.take(.local) == ["ping"])
        #expect(harness.take(.remote) == ["ping"])
        harness.receive(.pingResp, from: .local)
        harness.now = harness.deadline
        harness.step(.deadlineReached)
        guard case .disconnected(.remote, .pingTimedOut, _)? = harness.events.last else {
            Issue.record("\(harness.events)")
            return
        }
    }

    @Test func retainedMessagesComeAgainOnlyWhenTheOtherBrokerHasLostTheSession() {
        for isPresent in [true, false] {
            let harness = BridgeHarness([BridgeTopic("#", .out)])
            harness.connect(isLocalSessionPresent: true, isRemoteSessionPresent: isPresent)
            guard case .subscribe(let packet)? = harness.takePackets(.local).last else {
                Issue.record("no SUBSCRIBE")
                continue
            }
            #expect(packet.entries[0].options.retainHandling == (isPresent ? .sendIfNewSubscription : .sendAtSubscribe))
        }
    }

    /// A new session gives packet identifiers from 1 again; the other broker would take a new message for one that it
    /// still holds under the same [MQTT-4.3.3-10].
    @Test(arguments: BridgeSide.allCases)
    func whatALostSessionLeftBehindIsReleasedBeforeAnythingIsSent(lost: BridgeSide) {
        let harness = BridgeHarness(Self.both)
        harness.connect(isLocalSessionPresent: lost != .local, isRemoteSessionPresent: lost != .remote)
        // The other direction need not wait.
        #expect(harness.take(lost) == [])
        var identifiers: [PacketIdentifier] = []
        while true {
            let packets = harness.takePackets(lost.other)
            let released = packets.compactMap { packet -> PacketIdentifier? in
                guard case .acknowledgement(let release) = packet, release.kind == .pubRel else { return nil }
                return release.packetIdentifier
            }
            if released.isEmpty { break }
            identifiers += released
            for identifier in released {
                harness.receive(.pubComp, identifier, .packetIdentifierNotFound, from: lost.other)
            }
        }
        #expect(identifiers == Array(1...PacketIdentifier.max))
        #expect(harness.take(lost) == ["subscribe # q2"])
    }

    @Test func nothingIsReleasedWhereNoQoS2Goes() {
        let harness = BridgeHarness([BridgeTopic("#", .out, maximumQoS: .atLeastOnce)])
        harness.connect(isLocalSessionPresent: false)
        #expect(harness.take(.local) == ["subscribe # q1"])
        #expect(harness.take(.remote) == [])
    }

    @Test func aLinkIsToldWhenBothBrokersHaveAnsweredTheSubscriptions() {
        let harness = BridgeHarness(Self.both)
        harness.connect()
        #expect(harness.events == [])
        for side in BridgeSide.allCases {
            guard case .subscribe(let packet)? = harness.takePackets(side).last else {
                Issue.record("no SUBSCRIBE")
                return
            }
            harness.receive(
                .subAck(SubAck(packetIdentifier: packet.packetIdentifier, reasonCodes: [.grantedQoS2])), from: side)
        }
        #expect(harness.events == [.connected(isLocalSessionPresent: true, isRemoteSessionPresent: true)])
    }

    @Test func aRefusedSubscriptionIsTold() {
        let harness = BridgeHarness([BridgeTopic("a", .out), BridgeTopic("b", .out)])
        harness.connect()
        guard case .subscribe(let packet)? = harness.takePackets(.local).last else {
            Issue.record("no SUBSCRIBE")
            return
        }
        harness.receive(
            .subAck(SubAck(packetIdentifier: packet.packetIdentifier, reasonCodes: [.grantedQoS2, .notAuthorized])),
            from: .local)
        #expect(harness.events.contains(.subscriptionRefused(.local, filter: "b", .notAuthorized)))
    }

    @Test func aStopSaysGoodbyeToBothAndIsTheEnd() {
        let harness = BridgeHarness(Self.both)
        harness.connect()
        _ = harness.take(.local)
        _ = harness.take(.remote)
        harness.step(.stopRequested)
        #expect(harness.take(.local) == ["disconnect success"])
        #expect(harness.take(.remote) == ["disconnect success"])
        #expect(harness.events.last == .stopped)
        #expect(harness.deadline == .distantFuture)
    }
}
