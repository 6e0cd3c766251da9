import BrokerCore
import MQTTModel
import SimulationKit
import Testing

/// Every bound has a counter that says when it was reached (P7), and only then.
@Suite struct CounterTests {
    @Test func messageForAFullQueueIsCounted() {
        let node = Node { $0.limits.maximumQueuedMessages = 2 }
        let away = node.connect("away", expiry: 100)
        node.subscribe(away, "t", qos: .atLeastOnce)
        node.driver.close(away)
        let publisher = node.connect("p")
        for _ in 1...2 { node.publish(publisher, "t", qos: .atLeastOnce) }
        #expect(node.counts(\.droppedQueueFull) == 0)
        node.publish(publisher, "t", qos: .atLeastOnce)
        #expect(node.counts(\.droppedQueueFull) == 1)
    }

    @Test func messageTooLargeForItsClientIsCounted() {
        let node = Node()
        node.subscribe(node.connect("small", [.maximumPacketSize(20)]), "t")
        let publisher = node.connect("p")
        node.publish(publisher, "t", "short")
        #expect(node.counts(\.droppedTooLarge) == 0)
        node.publish(publisher, "t", "a payload that does not fit")
        #expect(node.counts(\.droppedTooLarge) == 1)
    }

    @Test func messageThatExpiredInTheQueueIsCounted() {
        let node = Node()
        let away = node.connect("away", expiry: 100)
        node.subscribe(away, "t", qos: .atLeastOnce)
        node.driver.close(away)
        node.publish(node.connect("p"), "t", qos: .atLeastOnce, expiry: 5)
        node.driver.advance(by: .seconds(6))
        #expect(node.payloads(node.connect("away", expiry: 100, keepsAnswer: true)) == [])
        #expect(node.counts(\.droppedExpired) == 1)
    }

    @Test func messageForASharedSubscriptionWithoutAMemberIsCounted() {
        let node = Node()
        let away = node.connect("away", expiry: 100)
        node.subscribe(away, "$share/s/t", qos: .atLeastOnce)
        node.driver.close(away)
        // QoS 0 waits for nobody.
        node.publish(node.connect("p"), "t")
        #expect(node.counts(\.droppedNoMember) == 1)
    }

    @Test func refusalsAreCounted() {
        let node = Node {
            $0.limits.maximumSessions = 1
            $0.limits.maximumSubscriptionsPerSession = 1
            $0.limits.maximumRetainedMessages = 1
        }
        let first = node.connect("first")
        #expect(node.counts(\.sessionsRefused) == 0)
        _ = node.connect("second")
        #expect(node.counts(\.sessionsRefused) == 1)
        #expect(node.counts(\.connectionsRefused) == 1)
        node.subscribe(first, "1")
        #expect(node.counts(\.subscriptionsRefused) == 0)
        node.subscribe(first, "2")
        #expect(node.counts(\.subscriptionsRefused) == 1)
        node.publish(first, "1", isRetained: true)
        #expect(node.counts(\.retainedRefused) == 0)
        node.publish(first, "2", isRetained: true)
        #expect(node.counts(\.retainedRefused) == 1)
    }

    @Test func endsAreCounted() {
        let node = Node { $0.limits.connectTimeout = .seconds(3) }
        _ = node.driver.open()
        _ = node.connect("quiet", keepAlive: 2)
        _ = node.connect("twice", expiry: 10)
        _ = node.connect("twice", expiry: 10)
        #expect(node.counts(\.takeovers) == 1)
        node.driver.advance(by: .seconds(4))
        #expect(node.counts(\.connectTimeouts) == 1)
        #expect(node.counts(\.keepAliveTimeouts) == 1)
        let faulty = node.connect("faulty")
        node.send(.pingResp, faulty)
        #expect(node.counts(\.protocolViolations) == 1)
    }

    @Test func expiredSessionsAndPublishedWillsAreCounted() {
        let node = Node()
        let will = Will(message: ApplicationMessage(topic: "w", payload: []))
        node.driver.close(node.connect("a", expiry: 10, will: will))
        #expect(node.counts(\.willsPublished) == 1)
        node.driver.advance(by: .seconds(9))
        #expect(node.counts(\.sessionsExpired) == 0)
        node.driver.advance(by: .seconds(2))
        #expect(node.counts(\.sessionsExpired) == 1)
    }
}
