import Backbone
import MQTTModel

/// A session in a snapshot, with everything that `StoredSession` holds.
extension RecordWriter {
    mutating func append(_ session: StoredSession) {
        append(session.clientIdentifier)
        append(session.expiryInterval)
        append(session.disconnectedAt)
        append(session.disconnectedPlace)
        append(byte: session.will == nil ? 0 : 1)
        if let will = session.will { append(will) }
        append(session.willDueAt)
        append(session.cursor)
        append(UInt64(session.subscriptions.count))
        for subscription in session.subscriptions { append(subscription) }
        append(UInt64(session.received.count))
        for identifier in session.received { append(identifier) }
        append(UInt64(session.sent.count))
        for sent in session.sent { append(sent) }
        append(UInt64(session.wishes.count))
        for wish in session.wishes {
            append(wish.wish)
            append(wish.since)
            append(wish.position)
        }
    }

    private mutating func append(_ instant: Instant?) {
        append(byte: instant == nil ? 0 : 1)
        if let instant { append(instant.nanoseconds) }
    }

    private mutating func append(_ subscription: RestoredSession.Subscription) {
        append(subscription.filter)
        append(byte: subscription.options.rawValue)
        append(subscription.identifier)
        append(subscription.since)
        append(optional: subscription.until)
    }

    private mutating func append(_ sent: RestoredSession.Sent) {
        append(sent.exchange)
        append(sent.packetIdentifier)
        append(byte: sent.phase.rawValue)
        append(byte: sent.topic == nil ? 0 : 1)
        if let topic = sent.topic { append(topic.string) }
    }

    mutating func append(_ entry: KeptLog.Entry) {
        append(entry.position)
        append(entry.publisherHash)
        append(entry.byteCount)
        append(entry.topic)
        append(entry.expiresAt)
        append(byte: entry.qos.rawValue | (entry.isRetained ? 0x04 : 0))
    }
}

extension RecordReader {
    mutating func storedSession() throws(MalformedRecord) -> StoredSession {
        let client = try text()
        let expiryInterval = try number(as: UInt32.self)
        let disconnectedAt = try instant()
        let disconnectedPlace = try number()
        let will = try flag() ? try will() : nil
        let willDueAt = try instant()
        let cursor = try number()
        var subscriptions: [RestoredSession.Subscription] = []
        for _ in 0..<(try count()) { subscriptions.append(try subscription()) }
        var received: [PacketIdentifier] = []
        for _ in 0..<(try count()) { received.append(try number(as: PacketIdentifier.self)) }
        var sent: [RestoredSession.Sent] = []
        for _ in 0..<(try count()) { sent.append(try self.sent()) }
        var wishes: [RestoredSession.Wish] = []
        for _ in 0..<(try count()) {
            let wish = try wish()
            let since = try number()
            wishes.append(RestoredSession.Wish(wish, since: since, position: try number()))
        }
        return StoredSession(
            clientIdentifier: client, expiryInterval: expiryInterval, disconnectedAt: disconnectedAt,
            disconnectedPlace: disconnectedPlace, will: will, willDueAt: willDueAt, subscriptions: subscriptions,
            received: received, sent: sent, wishes: wishes, cursor: cursor)
    }

    private mutating func instant() throws(MalformedRecord) -> Instant? {
        try flag() ? Instant(nanoseconds: try number()) : nil
    }

    private mutating func subscription() throws(MalformedRecord) -> RestoredSession.Subscription {
        let filter = try text()
        let options = try subscriptionOptions()
        let identifier = try number(as: UInt32.self)
        let since = try number()
        let until = try optionalNumber(as: UInt64.self)
        return .init(filter: filter, options: options, identifier: identifier, since: since, until: until)
    }

    private mutating func sent() throws(MalformedRecord) -> RestoredSession.Sent {
        let exchange = try sentExchange()
        let identifier = try number(as: PacketIdentifier.self)
        guard let phase = RestoredSession.Sent.Phase(rawValue: try byte()) else {
            throw malformed("the phase of an exchange is not known")
        }
        return .init(
            exchange, packetIdentifier: identifier, phase: phase, topic: try flag() ? ExactText(try text()) : nil)
    }

    mutating func keptEntry() throws(MalformedRecord) -> KeptLog.Entry {
        let position = try number()
        let publisherHash = try number()
        let byteCount = try number(as: UInt32.self)
        let topic = try number(as: UInt32.self)
        let expiresAt = try number(as: UInt32.self)
        let flags = try byte()
        guard flags & ~0x07 == 0, let qos = QoS(rawValue: flags & 0x03) else { throw malformed("flags are unknown") }
        return .init(
            position: position, publisherHash: publisherHash, byteCount: byteCount, topic: topic, expiresAt: expiresAt,
            qos: qos, isRetained: flags & 0x04 != 0)
    }
}
