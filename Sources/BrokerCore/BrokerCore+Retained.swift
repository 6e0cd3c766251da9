import AccessControl
import TopicIndex
import MQTTModel

extension BrokerCore {
    /// Why a message cannot become a retained one; nil if it can.
    mutating func reasonToRefuseRetained(_ message: ApplicationMessage) -> ReasonCode? {
        guard message.payloadLength > 0 else { return nil }
        var levels = 1
        for byte in message.topic where byte == UInt8(ascii: "/") { levels += 1 }
        if levels > limits.maximumTopicLevels { return .topicNameInvalid }
        let replaced = retained.message(topic: message.topic)
        let bytes = retained.byteCount - (replaced?.byteCount ?? 0) + message.byteCount
        let count = retained.count + (replaced == nil ? 1 : 0)
        guard count <= limits.maximumRetainedMessages, bytes <= limits.maximumRetainedBytes else {
            counters.retainedRefused += 1
            return .quotaExceeded
        }
        return nil
    }

    /// Stores, replaces or deletes the retained message of a topic [MQTT-3.3.1-5, MQTT-3.3.1-6, MQTT-3.3.1-7].
    mutating func keepRetained(_ message: ApplicationMessage) {
        if message.payloadLength == 0 {
            _ = retained.remove(topic: message.topic)
        } else {
            _ = retained.set(message)
        }
    }

    /// Sends the retained messages that new subscriptions bring, after their SUBACK [MQTT-3.3.1-9].
    mutating func sendRetained(
        _ wishes: [RetainedWish], to session: Session, at now: Instant, into effects: inout Effects
    ) {
        guard retained.count > 0, !wishes.isEmpty else { return }
        for wish in wishes { enqueueRetained(wish, for: session, at: now) }
        sessions.updatePath(of: session)
        pump(session, at: now, into: &effects)
    }

    /// Puts a copy of every retained message that matches into the session's queue: so windows, writability and order
    /// hold for them as for any other.
    private mutating func enqueueRetained(_ wish: RetainedWish, for session: Session, at now: Instant) {
        let options = wish.options
        let excludedPublisher = options.noLocal ? StableHash.hash(session.clientIdentifier) : 0
        let identifiers = wish.identifier == 0 ? [] : [wish.identifier]
        var deniedCount: UInt64 = 0
        retained.forEachMatch(of: wish.pattern) { message in
            guard !message.isExpired(at: now) else { return }
            if session.restrictsDelivery, session.access?.permitReceiving(message.topic) == false {
                deniedCount += 1
                return
            }
            guard excludedPublisher == 0 || message.publisherHash != excludedPublisher else { return }
            session.enqueueCopy(
                of: message, qos: min(options.maximumQoS, message.qos), identifiers: identifiers[...])
        }
        counters.deliveriesDenied += deniedCount
    }
}
