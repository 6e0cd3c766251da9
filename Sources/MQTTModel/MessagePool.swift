/// Message objects for a decoder, used again once nobody else holds them, so that a QoS 0 message that is routed and
/// forgotten, and a QoS 1 message that is soon acknowledged, cost no allocation.
///
/// A ring: the next object is taken if the pool alone holds it, else a fresh one takes its place. Bounded by
/// `slotCount` objects of at most `ApplicationMessage.reusableCapacity` bytes.
package struct MessagePool: ~Copyable {
    package static let slotCount = 64

    private var slots: [ApplicationMessage] = []
    private var next = 0

    package init() { slots.reserveCapacity(MessagePool.slotCount) }

    /// An empty message of the given lengths whose bytes the caller writes before it hands the message on.
    package mutating func make(topicLength: Int, propertiesLength: Int, payloadLength: Int) -> ApplicationMessage {
        let byteCount = topicLength + propertiesLength + payloadLength
        guard byteCount <= ApplicationMessage.reusableCapacity else {
            let message = ApplicationMessage(capacity: byteCount)
            message.reset(topicLength: topicLength, propertiesLength: propertiesLength, payloadLength: payloadLength)
            return message
        }
        if slots.count < MessagePool.slotCount {
            slots.append(ApplicationMessage(capacity: max(byteCount, 256)))
        } else if !isKnownUniquelyReferenced(&slots[next]) {
            slots[next] = ApplicationMessage(capacity: max(byteCount, 256))
        }
        let message = slots[next]
        next = next &+ 1 == MessagePool.slotCount ? 0 : next &+ 1
        message.reset(topicLength: topicLength, propertiesLength: propertiesLength, payloadLength: payloadLength)
        return message
    }
}
