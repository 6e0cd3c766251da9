import AccessControl
import Backbone
import TopicIndex
import MQTTModel

extension BrokerCore {
    /// Why a message cannot become a retained one; nil if it can.
    mutating func reasonToRefuseRetained(_ message: ApplicationMessage, of session: Session) -> ReasonCode? {
        guard message.payloadLength > 0 else { return nil }
        var levels = 1
        for byte in message.topic where byte == UInt8(ascii: "/") { levels += 1 }
        if levels > limits.maximumTopicLevels { return .topicNameInvalid }
        if memoryLevel == .critical {
            counters.refusedForMemory += 1
            return .quotaExceeded
        }
        let publisher = StableHash.hash(session.clientIdentifier)
        let replaced = retained.message(topic: message.topic)
        let bytes = message.byteCount - (replaced?.byteCount ?? 0)
        var share = retained.share(of: publisher)
        if let replaced, replaced.publisherHash == publisher { share.remove(replaced) }
        share.add(message)
        guard retained.count + (replaced == nil ? 1 : 0) <= limits.maximumRetainedMessages,
            retained.byteCount + bytes <= limits.maximumRetainedBytes,
            share.count <= limits.maximumRetainedMessagesPerClient,
            share.byteCount <= limits.maximumRetainedBytesPerClient
        else {
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

    // MARK: For new subscriptions

    /// Topics that are looked at before a wish is remembered that may bring nothing.
    private static let wishLookCount = 1000

    /// The wish as the backbone has to remember it, or without a number where it need not: copies with QoS 0 may be lost,
    /// and a session that ends with its connection loses all.
    func numbered(_ wish: RetainedWish, of session: Session) -> RetainedWish {
        let mayLast = session.isDurable && wish.options.maximumQoS != .atMostOnce
        guard mayLast, mayMatchRetained(wish.pattern) else { return wish }
        var wish = wish
        wish.number = .wish(session.nextWish)
        session.nextWish += 1
        return wish
    }

    private func mayMatchRetained(_ pattern: String) -> Bool {
        var found = false
        let isComplete = retained.forEachMatch(of: pattern, visiting: BrokerCore.wishLookCount) { message in
            if message.qos != .atMostOnce { found = true }
            return !found
        }
        return found || !isComplete
    }

    /// Sends the retained messages that new subscriptions bring, after their SUBACK [MQTT-3.3.1-9].
    mutating func sendRetained(
        _ wishes: [RetainedWish], to session: Session, at now: Instant, into effects: inout Effects
    ) {
        guard !wishes.isEmpty else { return }
        for wish in wishes { enqueueRetained(wish, for: session, at: now, into: &effects) }
        sessions.updatePath(of: session)
        pump(session, at: now, into: &effects)
    }

    /// Puts a copy of every retained message that matches into the session's queue: so windows, writability and order
    /// hold for them as for any other. What a lasting session gets with QoS > 0 without a noted wish was retained after the
    /// subscription was made, and came by it.
    private mutating func enqueueRetained(
        _ wish: RetainedWish, for session: Session, at now: Instant, into effects: inout Effects
    ) {
        var next = wish.number + 1
        var deniedCount: UInt64 = 0
        retained.forEachMatch(of: wish.pattern) { message in
            if session.restrictsDelivery, session.access?.permitReceiving(message.topic) == false {
                deniedCount += 1
                return
            }
            guard let copy = copy(of: message, for: wish, of: session, at: now) else { return }
            var sequence: LogSequence = 0
            if session.isDurable, copy.qos != .atMostOnce {
                guard wish.number > 0 else { return }
                sequence = next
                next += 1
            }
            session.enqueue(copy, sequence: sequence, queueTotal)
        }
        counters.deliveriesDenied += deniedCount
        remember(Int(next - wish.number - 1), of: wish.number, session, into: &effects)
    }

    /// How the message goes out; nil if it does not: it has expired, or is the session's own [MQTT-3.8.3-3].
    func copy(
        of message: ApplicationMessage, for wish: RetainedWish, of session: Session, at now: Instant
    ) -> RetainedCopy? {
        guard !message.isExpired(at: now) else { return nil }
        let isOwn = message.publisherHash == StableHash.hash(session.clientIdentifier)
        if wish.options.noLocal, isOwn { return nil }
        return RetainedCopy(
            message: message, qos: min(wish.options.maximumQoS, message.qos),
            subscriptionIdentifiers: wish.identifier == 0 ? [] : [wish.identifier])
    }

    /// The client has `count` copies to come; without any, the backbone need not remember the wish.
    mutating func remember(
        _ count: Int, of wish: LogSequence, _ session: Session, into effects: inout Effects
    ) {
        guard wish > 0 else { return }
        if count > 0 {
            session.wishes[wish] = count
        } else {
            note([.fulfilled(clientIdentifier: session.clientIdentifier, wish: wish)], into: &effects)
        }
    }

    /// The wishes of a SUBSCRIBE that was not answered.
    mutating func abandon(_ wishes: [RetainedWish], of session: Session, into effects: inout Effects) {
        let changes = wishes.filter { $0.number > 0 }.map {
            SessionChange.fulfilled(clientIdentifier: session.clientIdentifier, wish: $0.number)
        }
        if !changes.isEmpty { note(changes, into: &effects) }
    }
}

/// A retained message as it goes to a new subscription.
struct RetainedCopy {
    let message: ApplicationMessage
    let qos: QoS
    let subscriptionIdentifiers: [UInt32]
}
