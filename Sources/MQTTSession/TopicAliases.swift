package import MQTTModel

/// The topic aliases that a peer has defined on this connection (5.0 section 3.3.2.3.4); gone with the connection
/// [MQTT-3.3.2-7].
package struct ReceivedTopicAliases: Sendable {
    /// The highest alias that the peer may use; 0 when none.
    package let maximum: UInt16
    private var topics: [[UInt8]] = []

    package init(maximum: UInt16) { self.maximum = maximum }

    /// The message under its real topic: remembers the alias when the PUBLISH has both, looks it up when the topic is
    /// empty.
    package mutating func resolve(_ publish: Publish) throws(ProtocolViolation) -> ApplicationMessage {
        let alias = publish.topicAlias
        guard alias != 0 else { return publish.message }
        guard alias <= maximum else {
            throw ProtocolViolation(.topicAliasInvalid, clause: "MQTT-3.3.2-9", "topic alias over the maximum")
        }
        let index = Int(alias) - 1
        if publish.message.topicLength > 0 {
            while topics.count <= index { topics.append([]) }
            topics[index] = Array(publish.message.topic)
            return publish.message
        }
        guard index < topics.count, !topics[index].isEmpty else {
            throw .protocolError("5.0 section 3.3.2.3.4", "topic alias without a topic")
        }
        return topics[index].withUnsafeBytes { publish.message.copy(withTopic: $0) }
    }
}

/// The topic aliases that this side has defined towards the peer. The first topics get one and keep it.
package struct SentTopicAliases: Sendable {
    package let maximum: UInt16
    private var topics: [[UInt8]] = []

    package init(maximum: UInt16) { self.maximum = maximum }

    /// The alias for the topic, 0 when none is left, and whether the peer knows it already.
    package mutating func alias(for topic: UnsafeRawBufferPointer) -> (alias: UInt16, isKnown: Bool) {
        for index in topics.indices where topics[index].count == topic.count && topics[index].elementsEqual(topic) {
            return (UInt16(index + 1), true)
        }
        guard topics.count < Int(maximum) else { return (0, false) }
        topics.append(Array(topic))
        return (UInt16(topics.count), false)
    }

    /// Forgets the alias that was made last: the packet that would have defined it was not sent.
    package mutating func withdrawLast() { topics.removeLast() }
}
