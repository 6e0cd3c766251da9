/// An application message: the topic, the properties that travel with it, and the payload, stored once however many
/// sessions it goes to.
///
/// The bytes lie in one block, `topic | properties | payload`, in the form the wire needs, so forwarding is copying.
/// `properties` are the encoded 5.0 properties that a server passes on unchanged and in order [MQTT-3.3.2-17,
/// MQTT-3.3.2-18, MQTT-3.3.2-20] (payload format indicator, content type, response topic, correlation data, user
/// properties) without their length; what the server counts down or translates (message expiry, topic alias,
/// subscription identifiers) is not among them.
///
/// Sendable though it is a class: once its maker has handed it on, nobody writes to it; `MessagePool` takes an object
/// back only while it holds the sole reference.
package final class ApplicationMessage: @unchecked Sendable {
    private var storage: UnsafeMutableRawPointer
    private var capacity: Int
    package private(set) var topicLength: Int = 0
    package private(set) var propertiesLength: Int = 0
    package private(set) var payloadLength: Int = 0

    /// The QoS it was published with.
    package var qos: QoS = .atMostOnce
    /// The RETAIN flag it was published with.
    package var isRetained: Bool = false
    /// Seconds, as published; nil when the publisher set none.
    package var expiryInterval: UInt32?
    /// When the server received it; set with `expiryInterval`.
    package var receivedAt: Instant = .zero
    /// When the server received it, for the few messages whose way through it is timed; zero for the others.
    package var timedSince: Instant = .zero
    /// Who published a retained message: `StableHash` of the client identifier, 0 when nobody or not retained. For No
    /// Local when the message is sent later [MQTT-3.8.3-3].
    package var publisherHash: UInt64 = 0

    package init(capacity: Int) {
        self.capacity = max(capacity, 16)
        self.storage = .allocate(byteCount: self.capacity, alignment: 8)
    }

    deinit { storage.deallocate() }

    /// Empties the object for a new message of the given lengths. Only for who holds the sole reference.
    package func reset(topicLength: Int, propertiesLength: Int, payloadLength: Int) {
        let needed = topicLength + propertiesLength + payloadLength
        if needed > capacity {
            storage.deallocate()
            capacity = needed
            storage = .allocate(byteCount: needed, alignment: 8)
        }
        self.topicLength = topicLength
        self.propertiesLength = propertiesLength
        self.payloadLength = payloadLength
        qos = .atMostOnce
        isRetained = false
        expiryInterval = nil
        receivedAt = .zero
        timedSince = .zero
        publisherHash = 0
    }

    /// Bytes up to which the pool keeps objects for use again; larger messages are made and freed one by one.
    package static let reusableCapacity = 4096

    /// Gives back what the block has beyond its bytes, for a message that will be kept. Only for who holds it before it is
    /// handed on.
    package func shrink() {
        guard capacity > byteCount + 64 else { return }
        let exact = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 16), alignment: 8)
        exact.copyMemory(from: storage, byteCount: byteCount)
        storage.deallocate()
        storage = exact
        capacity = max(byteCount, 16)
    }

    package var byteCount: Int { topicLength + propertiesLength + payloadLength }

    /// The whole block. Valid while the message lives, like the views below; written only by the maker.
    package var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: storage, count: byteCount) }

    package var topic: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage, count: topicLength) }

    package var properties: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: storage + topicLength, count: propertiesLength)
    }

    package var payload: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: storage + topicLength + propertiesLength, count: payloadLength)
    }
}

extension ApplicationMessage {
    /// A message from its parts. `encodedProperties` as described above.
    package convenience init(
        topic: UnsafeRawBufferPointer, encodedProperties: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer
    ) {
        self.init(capacity: topic.count + encodedProperties.count + payload.count)
        reset(topicLength: topic.count, propertiesLength: encodedProperties.count, payloadLength: payload.count)
        let block = bytes
        block[..<topic.count].copyBytes(from: topic)
        block[topic.count..<(topic.count + encodedProperties.count)].copyBytes(from: encodedProperties)
        block[(topic.count + encodedProperties.count)...].copyBytes(from: payload)
    }

    /// A message of text or bytes without properties, for the broker's own topics and for tests.
    package convenience init(
        topic: String, payload: some Collection<UInt8>, qos: QoS = .atMostOnce, isRetained: Bool = false
    ) {
        let topicBytes = Array(topic.utf8)
        let payloadBytes = Array(payload)
        self.init(capacity: topicBytes.count + payloadBytes.count)
        reset(topicLength: topicBytes.count, propertiesLength: 0, payloadLength: payloadBytes.count)
        bytes.copyBytes(from: topicBytes)
        UnsafeMutableRawBufferPointer(rebasing: bytes[topicBytes.count...]).copyBytes(from: payloadBytes)
        self.qos = qos
        self.isRetained = isRetained
    }

    /// A copy under another topic: a PUBLISH that named its topic by an alias gets the real one.
    package func copy(withTopic newTopic: UnsafeRawBufferPointer) -> ApplicationMessage {
        let copy = ApplicationMessage(topic: newTopic, encodedProperties: properties, payload: payload)
        copy.qos = qos
        copy.isRetained = isRetained
        copy.expiryInterval = expiryInterval
        copy.receivedAt = receivedAt
        copy.timedSince = timedSince
        copy.publisherHash = publisherHash
        return copy
    }

    package var topicString: String { String(decoding: topic, as: UTF8.self) }

    /// Seconds left at `now`; nil when it never expires; 0 when it has expired [MQTT-3.3.2-6].
    package func remainingExpiry(at now: Instant) -> UInt32? {
        guard let expiryInterval else { return nil }
        let elapsed = now.wholeSeconds(since: receivedAt)
        return elapsed >= UInt64(expiryInterval) ? 0 : expiryInterval - UInt32(elapsed)
    }

    package func isExpired(at now: Instant) -> Bool { remainingExpiry(at: now) == 0 }
}
