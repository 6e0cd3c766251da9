import MQTTModel
import MQTTSession
import Testing

@Suite("In-flight window")
struct InflightWindowTests {
    private let message = ApplicationMessage(topic: "t", payload: [1])

    @Test("MQTT-2.2.1-3: identifiers ascend from 1 and a held one is skipped after the wrap")
    func heldIdentifiersAreSkippedAfterTheWrap() {
        var window = InflightWindow()
        #expect(window.append(message, qos: .atLeastOnce) == 1)
        #expect(window.append(message, qos: .exactlyOnce) == 2)
        for identifier in 3...PacketIdentifier.max {
            #expect(window.append(message, qos: .atLeastOnce) == identifier)
            if identifier != 5 { #expect(window.pubAckReceived(identifier) == .finished) }
        }
        #expect(window.pubAckReceived(1) == .finished)
        #expect(window.append(message, qos: .atLeastOnce) == 1)
        #expect(window.append(message, qos: .atLeastOnce) == 3)
        #expect(window.append(message, qos: .atLeastOnce) == 4)
        #expect(window.append(message, qos: .atLeastOnce) == 6)
        #expect(window.entries.map(\.packetIdentifier) == [2, 5, 1, 3, 4, 6])
    }

    @Test func whatALogHoldsIsReleasedAndGivenBackBeforeItIsSentAgain() {
        var window = InflightWindow()
        _ = window.append(message, qos: .atLeastOnce)
        _ = window.append(message, qos: .exactlyOnce, sequence: 7)
        _ = window.append(message, qos: .exactlyOnce, sequence: 8)
        _ = window.append(message, qos: .exactlyOnce, sequence: 900)
        #expect(window.pubRecReceived(3, isRefusal: false) == .release)
        window.releaseMessages(below: 100)
        #expect(window.entries.map(\.isReleased) == [false, true, false, false])
        #expect(window.entries.map(\.byteCount) == [2, 2, 2, 2])
        window.beginResend()
        #expect(window.takeNextToResend(window: 9)?.packetIdentifier == 1)
        #expect(window.nextToResend(window: 9)?.isReleased == true)
        window.giveBack(message, to: 2)
        #expect(window.takeNextToResend(window: 9)?.message === message)
        #expect(window.takeNextToResend(window: 9)?.phase == .awaitingPubComp)
        #expect(window.entriesToResend.map(\.packetIdentifier) == [4])
    }

    @Test func anIdentifierWhoseMessageIsLostIsOnlyReleased() {
        var window = InflightWindow()
        _ = window.append(message, qos: .exactlyOnce, sequence: 7)
        window.releaseMessages(below: 100)
        window.beginResend()
        window.messageLost(1)
        #expect(window.takeNextToResend(window: 1)?.phase == .awaitingPubComp)
        #expect(window.pubCompReceived(1) == .finished)
    }

    @Test("MQTT-4.3.3-7: PUBREC drops the message, PUBCOMP the identifier")
    func exactlyOnceEndsWithPubComp() {
        var window = InflightWindow()
        let identifier = window.append(message, qos: .exactlyOnce)
        #expect(window.pubCompReceived(identifier) == .wrongPacket)
        #expect(window.pubAckReceived(identifier) == .wrongPacket)
        #expect(window.pubRecReceived(identifier, isRefusal: false) == .release)
        #expect(window.entries.map(\.phase) == [.awaitingPubComp] && window.entries.allSatisfy { $0.message == nil })
        #expect(window.pubRecReceived(identifier, isRefusal: false) == .release)
        #expect(window.pubCompReceived(identifier) == .finished)
        #expect(window.pubCompReceived(identifier) == .notFound)
    }

    @Test("MQTT-4.3.3-4: a PUBREC that refuses ends the exchange")
    func refusalEndsTheExchange() {
        var window = InflightWindow()
        let identifier = window.append(message, qos: .exactlyOnce)
        #expect(window.pubRecReceived(identifier, isRefusal: true) == .finished)
        #expect(window.isEmpty)
    }

    @Test("random acknowledgements: no identifier is held twice and order is kept", arguments: 0..<8)
    func randomAcknowledgementsKeepIdentifiersUnique(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        var window = InflightWindow()
        var held: [PacketIdentifier] = []
        for _ in 0..<200_000 {
            if held.count < 40, held.isEmpty || Bool.random(using: &random) {
                let identifier = window.append(message, qos: .atLeastOnce)
                #expect(!held.contains(identifier))
                held.append(identifier)
            } else {
                // Mostly from the front, sometimes from anywhere, and the first one seldom: a straggler.
                let index = min(held.count - 1, Int.random(in: 0..<10, using: &random) == 0 ? 0 : 1 % held.count)
                #expect(window.pubAckReceived(held.remove(at: index)) == .finished)
            }
        }
        #expect(window.entries.map(\.packetIdentifier) == held)
    }
}

@Suite("Received identifiers")
struct ReceivedIdentifiersTests {
    @Test("MQTT-4.3.3-10: a repeat is recognised until it is released", arguments: 0..<4)
    func behavesAsASet(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        var identifiers = ReceivedIdentifiers()
        var model: Set<PacketIdentifier> = []
        for _ in 0..<20_000 {
            let identifier = PacketIdentifier.random(in: 1...50, using: &random)
            if Bool.random(using: &random) {
                #expect(identifiers.insert(identifier) == model.insert(identifier).inserted)
            } else {
                #expect(identifiers.remove(identifier) == (model.remove(identifier) != nil))
            }
            #expect(identifiers.contains(identifier) == model.contains(identifier))
            #expect(identifiers.count == model.count)
        }
    }
}

@Suite("Topic aliases")
struct TopicAliasTests {
    private func publish(_ topic: String, alias: UInt16) -> Publish {
        Publish(message: ApplicationMessage(topic: topic, payload: [7]), qos: .atMostOnce, topicAlias: alias)
    }

    @Test("MQTT-3.3.2-12: an alias stands for the topic it was last sent with")
    func aliasCanBeRemapped() throws {
        var aliases = ReceivedTopicAliases(maximum: 2)
        #expect(try aliases.resolve(publish("a", alias: 2)).topicString == "a")
        #expect(try aliases.resolve(publish("", alias: 2)).topicString == "a")
        #expect(try aliases.resolve(publish("b", alias: 2)).topicString == "b")
        #expect(try aliases.resolve(publish("", alias: 2)).topicString == "b")
        #expect(throws: ProtocolViolation.self) { try aliases.resolve(publish("", alias: 1)) }
    }

    @Test("MQTT-3.3.2-9: an alias over the maximum is refused with 0x94")
    func aliasOverTheMaximumIsRefused() {
        var aliases = ReceivedTopicAliases(maximum: 2)
        #expect { try aliases.resolve(publish("a", alias: 3)) } throws: {
            ($0 as? ProtocolViolation)?.reasonCode == .topicAliasInvalid
        }
    }

    @Test("the first topics get an alias and keep it")
    func firstTopicsKeepTheirAlias() {
        var aliases = SentTopicAliases(maximum: 1)
        let a = ApplicationMessage(topic: "a", payload: [])
        let b = ApplicationMessage(topic: "b", payload: [])
        #expect(aliases.alias(for: a.topic) == (1, false))
        #expect(aliases.alias(for: a.topic) == (1, true))
        #expect(aliases.alias(for: b.topic) == (0, false))
    }
}

@Suite("Deadline queue")
struct DeadlineQueueTests {
    @Test("keys fall due in order of time, then of setting")
    func keysFallDueInOrder() {
        var queue = DeadlineQueue<Int>()
        queue.set(1, at: Instant(nanoseconds: 20))
        queue.set(2, at: Instant(nanoseconds: 10))
        queue.set(3, at: Instant(nanoseconds: 20))
        #expect(queue.earliest == Instant(nanoseconds: 10))
        #expect(queue.popDue(at: Instant(nanoseconds: 9)) == nil)
        #expect(queue.popDue(at: Instant(nanoseconds: 20)) == 2)
        #expect(queue.popDue(at: Instant(nanoseconds: 20)) == 1)
        #expect(queue.popDue(at: Instant(nanoseconds: 20)) == 3)
        #expect(queue.popDue(at: .distantFuture) == nil)
    }

    @Test("entries without an owner are swept out when they outnumber the others")
    func abandonedEntriesAreSwept() {
        var queue = DeadlineQueue<Int>()
        for key in 0..<3000 { queue.set(key, at: Instant(nanoseconds: UInt64(key))) }
        for key in 0..<2500 { queue.abandon { $0 > key } }
        #expect(queue.count < 1600)
    }
}

@Suite("Filter set")
struct FilterSetTests {
    @Test("insert and remove agree with a set across the size where it becomes indexed", arguments: 0..<4)
    func behavesAsASet(seed: UInt64) {
        var random = SeededGenerator(state: seed)
        var filters = FilterSet()
        var model: Set<String> = []
        for _ in 0..<5_000 {
            let filter = "f\(Int.random(in: 0..<40, using: &random))"
            if Bool.random(using: &random) {
                #expect(filters.insert(filter) == model.insert(filter).inserted)
            } else {
                #expect(filters.remove(filter) == (model.remove(filter) != nil))
            }
            #expect(Set(filters.all) == model)
        }
    }
}

struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
