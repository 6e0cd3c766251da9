import MQTTModel
import Testing

@Suite struct MessagePoolTests {
    @Test func aReleasedMessageIsUsedAgain() {
        var pool = MessagePool()
        let first = ObjectIdentifier(pool.make(topicLength: 1, propertiesLength: 0, payloadLength: 1))
        for _ in 0..<100 {
            #expect(ObjectIdentifier(pool.make(topicLength: 1, propertiesLength: 2, payloadLength: 3)) == first)
        }
    }

    @Test func theRingIsAsLongAsWhatIsHeldAtATime() {
        var pool = MessagePool()
        var window: [ApplicationMessage] = []
        var seen: Set<ObjectIdentifier> = []
        for _ in 0..<2000 {
            let message = pool.make(topicLength: 1, propertiesLength: 0, payloadLength: 1)
            seen.insert(ObjectIdentifier(message))
            window.append(message)
            if window.count > 100 { window.removeFirst() }
        }
        #expect(seen.count <= 202)
    }

    @Test func aMessageThatIsHeldIsLeftAlone() {
        var pool = MessagePool()
        var held: [ApplicationMessage] = []
        for index in 0..<(3 * MessagePool.maximumCount) {
            let message = pool.make(topicLength: 1, propertiesLength: 0, payloadLength: 0)
            message.bytes[0] = UInt8(truncatingIfNeeded: index)
            held.append(message)
        }
        #expect(Set(held.map(ObjectIdentifier.init)).count == held.count)
        for (index, message) in held.enumerated() { #expect(message.topic[0] == UInt8(truncatingIfNeeded: index)) }
    }

    @Test func aMessageComesEmpty() {
        var pool = MessagePool()
        for length in [0, 1, 300, 4096, 5, 4097, 100_000, 2] {
            for _ in 0..<100 {
                let message = pool.make(topicLength: length, propertiesLength: 0, payloadLength: 0)
                #expect(message.qos == .atMostOnce && !message.isRetained && message.expiryInterval == nil)
                #expect(message.receivedAt == .zero && message.byteCount == length)
                message.qos = .exactlyOnce
                message.isRetained = true
                message.expiryInterval = 1
                message.receivedAt = .distantFuture
            }
        }
    }

    @Test func largeMessagesAreNotKept() {
        var pool = MessagePool()
        let limit = ApplicationMessage.reusableCapacity
        weak let kept = pool.make(topicLength: 0, propertiesLength: 0, payloadLength: limit)
        weak let large = pool.make(topicLength: 0, propertiesLength: 1, payloadLength: limit)
        #expect(kept != nil)
        #expect(large == nil)
    }

    @Test func partsLieOneBehindTheOther() {
        let message = ApplicationMessage(capacity: 0)
        message.reset(topicLength: 2, propertiesLength: 3, payloadLength: 4)
        message.bytes.copyBytes(from: Array("ttpppllll".utf8))
        #expect(message.topicString == "tt")
        #expect(Array(message.properties) == Array("ppp".utf8))
        #expect(Array(message.payload) == Array("llll".utf8))
    }

    @Test func copyUnderAnotherTopicKeepsTheRest() {
        let message = ApplicationMessage(topic: "", payload: [1, 2], qos: .atLeastOnce, isRetained: true)
        message.expiryInterval = 3
        message.receivedAt = Instant(nanoseconds: 4)
        let copy = Array("topic".utf8).withUnsafeBytes { message.copy(withTopic: $0) }
        #expect(copy.topicString == "topic" && Array(copy.payload) == [1, 2])
        #expect(copy.qos == .atLeastOnce && copy.isRetained && copy.expiryInterval == 3)
        #expect(copy.receivedAt == message.receivedAt && message.topicLength == 0)
    }
}
