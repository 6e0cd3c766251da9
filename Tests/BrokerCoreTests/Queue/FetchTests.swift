import BrokerCore
import MQTTModel
import SimulationKit
import Testing

/// With an engine that can read back, a session has the places of its messages and not the messages.
@Suite("Messages read back from the log")
struct FetchTests {
    private let node: Node

    init() {
        node = Node { $0.limits.maximumConcurrentFetches = 2 }
        node.driver.useLastingEngine()
    }

    private func settle() { node.driver.advance(by: .milliseconds(1)) }

    private func subscriber(_ name: String, _ filter: String = "t", receiveMaximum: UInt16 = 100) -> DriverConnection {
        let connection = node.connect(name, expiry: 1000, [.receiveMaximum(receiveMaximum)])
        settle()
        node.subscribe(connection, filter, qos: .exactlyOnce)
        settle()
        _ = node.packets(connection)
        return connection
    }

    private func publish(_ payloads: [String], expiry: UInt32? = nil) {
        let publisher = node.connect("p")
        for (index, payload) in payloads.enumerated() {
            node.publish(
                publisher, "t", payload, qos: .atLeastOnce, identifier: PacketIdentifier(index + 1), expiry: expiry)
        }
        settle()
    }

    /// The session's next connection, with what it was sent by now.
    private func resume(_ name: String, receiveMaximum: UInt16 = 100, expiry: UInt32 = 1000) -> DriverConnection {
        var properties: Properties = [.receiveMaximum(receiveMaximum)]
        if expiry > 0 { properties.append(.sessionExpiryInterval(expiry)) }
        let connection = node.driver.connect(
            Connect(version: .v5_0, clientIdentifier: name, cleanStart: false, properties: properties))
        settle()
        return connection
    }

    private func acknowledge(_ connection: DriverConnection, _ identifier: PacketIdentifier) {
        node.send(.acknowledgement(Acknowledgement(.pubAck, identifier)), connection)
        settle()
    }

    @Test func whoWasAwayGetsEverythingInOrder() {
        node.driver.close(subscriber("s"))
        let payloads = (1...20).map(String.init)
        publish(payloads)
        #expect(node.payloads(resume("s")) == payloads)
        #expect(node.counts(\.logCacheMisses) == 20)
        #expect(node.driver.faults.isEmpty)
    }

    @Test func whatManyNeedIsReadOnce() {
        let names = (1...10).map { "s\($0)" }
        for name in names { node.driver.close(subscriber(name)) }
        publish(["1", "2", "3"])
        let connections = names.map { name in
            node.driver.connect(
                Connect(
                    version: .v5_0, clientIdentifier: name, cleanStart: false,
                    properties: [.sessionExpiryInterval(1000)]))
        }
        settle()
        for connection in connections { #expect(node.payloads(connection) == ["1", "2", "3"]) }
        // Two may have asked at once.
        #expect(node.counts(\.logCacheMisses) <= 6)
        #expect(node.counts(\.logCacheHits) == 30)
    }

    /// Those that need more and more do not keep the others waiting.
    @Test func whoComesBackForMoreStandsBehindThoseThatWait() {
        let node = Node {
            $0.limits.maximumConcurrentFetches = 1
            $0.limits.maximumFetchedMessages = 1
            $0.limits.maximumCachedLogBytes = 0
        }
        node.driver.useLastingEngine()
        let test = FetchTests(node: node)
        let names = ["a", "b", "c"]
        for name in names { node.driver.close(test.subscriber(name, name)) }
        let publisher = node.connect("p")
        for number in 1...9 {
            let topic = names[number % 3]
            node.publish(publisher, topic, "\(number)", qos: .atLeastOnce, identifier: PacketIdentifier(number))
        }
        test.settle()
        var sent: [String] = []
        node.driver.observer = { observation in
            guard case .effect(_, .publish(let message, _, _)) = observation else { return }
            sent.append(message.topicString)
        }
        for name in names {
            _ = node.driver.connect(
                Connect(
                    version: .v5_0, clientIdentifier: name, cleanStart: false,
                    properties: [.sessionExpiryInterval(1000)]))
        }
        test.settle()
        #expect(sent == names + names + names)
    }

    @Test func aMessageForAClientThatIsBehindStaysAtHand() {
        let connection = subscriber("s", receiveMaximum: 1)
        publish(["1", "2", "3"])
        for identifier in 1...3 as ClosedRange<PacketIdentifier> {
            #expect(node.payloads(connection) == ["\(identifier)"])
            acknowledge(connection, identifier)
        }
        #expect(node.counts(\.logCacheMisses) == 0)
    }

    @Test("P7: what the log's bounds have taken is left out and counted", arguments: [true, false])
    func whatTheLogHasLostIsLeftOut(isTold: Bool) {
        node.driver.close(subscriber("s"))
        publish(["1", "2", "3", "4"])
        node.driver.dropLog(through: 2, isTold: isTold)
        #expect(node.payloads(resume("s")) == ["3", "4"])
        #expect(node.counts(\.droppedByRetention) == 2)
    }

    @Test func aQueueGivesUpWhatTheLogHasLostBeforeItsClientComes() {
        node.driver.close(subscriber("s"))
        publish(["1", "2", "3", "4"])
        node.driver.dropLog(through: 2, isTold: true)
        node.driver.advance(by: .seconds(2))
        publish(["5"])
        node.driver.advance(by: .seconds(2))
        #expect(node.counts(\.droppedByRetention) == 2)
    }

    @Test(
        "MQTT-4.4.0-1: what was not acknowledged is read and sent again, with DUP and its identifier, before the rest")
    func whatWasInFlightIsReadAgain() {
        let first = subscriber("s", receiveMaximum: 2)
        publish(["1", "2", "3", "4"])
        #expect(node.payloads(first) == ["1", "2"])
        node.driver.close(first)
        let sent = publishes(resume("s", receiveMaximum: 3))
        #expect(sent.map(\.packetIdentifier) == [1, 2, 3])
        #expect(sent.map(\.isDuplicate) == [true, true, false])
        #expect(sent.map { String(decoding: $0.message.payload, as: UTF8.self) } == ["1", "2", "3"])
    }

    /// The client may hold the identifier.
    @Test func anExchangeWhoseMessageIsLostIsEnded() {
        let first = subscriber("s")
        let publisher = node.connect("p")
        node.publish(publisher, "t", "once", qos: .exactlyOnce)
        settle()
        #expect(node.payloads(first) == ["once"])
        node.driver.close(first)
        node.driver.dropLog(through: 1, isTold: false)
        let again = resume("s")
        let packets = node.packets(again)
        let releases = packets.contains {
            if case .acknowledgement(let packet) = $0 {
                packet.kind == .pubRel && packet.packetIdentifier == 1
            } else {
                false
            }
        }
        #expect(releases)
        #expect(node.counts(\.droppedByRetention) == 1)
        node.send(.acknowledgement(Acknowledgement(.pubComp, 1)), again)
        settle()
        node.driver.checkInvariants()
    }

    private func publishes(_ connection: DriverConnection) -> [Publish] {
        node.packets(connection).compactMap { if case .publish(let publish) = $0 { publish } else { nil } }
    }

    @Test func aReadThatFailsIsTriedAgain() {
        let node = Node()
        node.driver.useLastingEngine(failedReadPercent: 100)
        let test = FetchTests(node: node)
        node.driver.close(test.subscriber("s"))
        test.publish(["1", "2"])
        let connection = test.resume("s")
        #expect(node.payloads(connection) == [])
        #expect(node.counts(\.fetchesFailed) == 1)
        node.driver.healEngine()
        node.driver.advance(by: .seconds(1))
        #expect(node.payloads(connection) == ["1", "2"])
    }

    private init(node: Node) { self.node = node }

    @Test("MQTT-3.3.2-5: time counts in the log")
    func whatExpiresInTheLogIsNotSent() {
        node.driver.close(subscriber("s"))
        publish(["short"], expiry: 5)
        publish(["long"], expiry: 50)
        node.driver.advance(by: .seconds(10))
        let sent = publishes(resume("s"))
        #expect(sent.map { String(decoding: $0.message.payload, as: UTF8.self) } == ["long"])
        #expect(sent.first?.message.expiryInterval == 40)
        #expect(node.counts(\.droppedExpired) == 1)
    }

    @Test func anAnswerForAConnectionThatIsGoneIsNotWaitedFor() {
        let node = Node()
        node.driver.useLastingEngine(maximumCommitDelayMilliseconds: 50)
        let test = FetchTests(node: node)
        node.driver.close(test.subscriberSlowly("s"))
        test.publish(["1", "2"])
        node.driver.advance(by: .seconds(1))
        for _ in 0..<5 {
            let connection = test.resume("s")
            node.driver.advance(by: .milliseconds(20))
            node.driver.close(connection)
        }
        let connection = test.resume("s")
        node.driver.advance(by: .seconds(1))
        let payloads = node.payloads(connection)
        #expect(payloads.suffix(2) == ["1", "2"])
        node.driver.checkInvariants()
    }

    private func subscriberSlowly(_ name: String) -> DriverConnection {
        let connection = node.connect(name, expiry: 1000)
        node.driver.advance(by: .seconds(1))
        node.subscribe(connection, "t", qos: .atLeastOnce)
        node.driver.advance(by: .seconds(1))
        return connection
    }

    /// Its place in the log still holds the log, though a crash would end it.
    @Test func aSessionThatWillNotLastAnyMoreGetsWhatWaitedForIt() {
        node.driver.close(subscriber("s"))
        publish(["1", "2", "3"])
        let connection = resume("s", receiveMaximum: 1, expiry: 0)
        for identifier in 1...3 as ClosedRange<PacketIdentifier> {
            #expect(node.payloads(connection) == ["\(identifier)"])
            // The log is trimmed meanwhile.
            node.driver.close(subscriber("other", "elsewhere"))
            node.driver.advance(by: .seconds(2))
            acknowledge(connection, identifier)
        }
    }
}

@Suite("A full queue")
struct QueueFullTests {
    @Test("P7: the policy says which messages a full queue loses", arguments: QueueFullPolicy.allCases, [true, false])
    func thePolicyDecides(policy: QueueFullPolicy, isLasting: Bool) {
        let node = Node {
            $0.limits.maximumQueuedMessages = 2
            $0.queueFullPolicy = policy
        }
        if isLasting { node.driver.useLastingEngine() }
        let subscriber = node.connect("s", expiry: 1000)
        node.driver.advance(by: .milliseconds(1))
        node.subscribe(subscriber, "t", qos: .atLeastOnce)
        node.driver.advance(by: .milliseconds(1))
        node.driver.close(subscriber)
        let publisher = node.connect("p")
        for number in 1...5 {
            node.publish(publisher, "t", "\(number)", qos: .atLeastOnce, identifier: PacketIdentifier(number))
        }
        node.driver.advance(by: .milliseconds(1))
        let again = node.connect("s", expiry: 1000, keepsAnswer: true)
        node.driver.advance(by: .milliseconds(1))
        #expect(node.payloads(again) == (policy == .dropOldest ? ["4", "5"] : ["1", "2"]))
        #expect(node.counts(\.droppedQueueFull) == 3)
    }

    @Test func aMessageThatNoQueueCouldHoldCostsTheOthersNothing() {
        let node = Node {
            $0.limits.maximumQueuedBytes = 10
            $0.queueFullPolicy = .dropOldest
        }
        let subscriber = node.connect("s")
        node.subscribe(subscriber, "t", qos: .atLeastOnce)
        node.driver.setWritable(false, of: subscriber)
        let publisher = node.connect("p")
        node.publish(publisher, "t", "small", qos: .atLeastOnce)
        node.publish(publisher, "t", "larger than a queue", qos: .atLeastOnce, identifier: 2)
        node.driver.setWritable(true, of: subscriber)
        #expect(node.payloads(subscriber) == ["small"])
        #expect(node.counts(\.droppedQueueFull) == 1)
    }
}
