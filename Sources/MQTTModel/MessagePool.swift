/// Message objects for a decoder, used again once nobody else holds them, so that a QoS 0 message that is routed and
/// forgotten, and a QoS 1 message that is soon acknowledged, cost no allocation.
///
/// A ring that grows while its next object is still held, so it is as long as what is held at a time, and short for
/// messages that are forgotten at once: those stay in the processor's cache. Bounded by `maximumCount` objects of at most
/// `ApplicationMessage.reusableCapacity` bytes.
package struct MessagePool: ~Copyable {
    package static let maximumCount = 2048

    private var ring: [ApplicationMessage] = []
    private var next = 0

    package init() {}

    /// An empty message of the given lengths whose bytes the caller writes before it hands the message on.
    package mutating func make(topicLength: Int, propertiesLength: Int, payloadLength: Int) -> ApplicationMessage {
        let byteCount = topicLength + propertiesLength + payloadLength
        guard byteCount <= ApplicationMessage.reusableCapacity else {
            let message = ApplicationMessage(capacity: byteCount)
            message.reset(topicLength: topicLength, propertiesLength: propertiesLength, payloadLength: payloadLength)
            return message
        }
        let message = takeFree(capacity: byteCount)
        message.reset(topicLength: topicLength, propertiesLength: propertiesLength, payloadLength: payloadLength)
        return message
    }

    private mutating func takeFree(capacity: Int) -> ApplicationMessage {
        if next < ring.count, isKnownUniquelyReferenced(&ring[next]) {
            let message = ring[next]
            next = next &+ 1 == ring.count ? 0 : next &+ 1
            return message
        }
        let message = ApplicationMessage(capacity: max(capacity, 128))
        if ring.count < MessagePool.maximumCount {
            ring.append(message)
        } else {
            ring[next] = message
            next = next &+ 1 == ring.count ? 0 : next &+ 1
        }
        return message
    }
}
