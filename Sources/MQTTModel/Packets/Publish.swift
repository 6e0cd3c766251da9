/// PUBLISH: an application message on its way (section 3.3). QoS and RETAIN are those of this packet, which on the way
/// to a subscriber may be lower than those the message was published with.
package struct Publish: Sendable {
    package var message: ApplicationMessage
    /// 0 with QoS 0.
    package var packetIdentifier: PacketIdentifier
    /// 0 when the packet has none (5.0 section 3.3.2.3.4). With an alias the topic may be empty.
    package var topicAlias: UInt16
    package var qos: QoS
    package var isDuplicate: Bool
    package var isRetained: Bool
    /// Only in packets from a server [MQTT-3.3.4-6].
    package var subscriptionIdentifiers: [UInt32]

    package init(
        message: ApplicationMessage, qos: QoS, packetIdentifier: PacketIdentifier = 0, isDuplicate: Bool = false,
        isRetained: Bool = false, topicAlias: UInt16 = 0, subscriptionIdentifiers: [UInt32] = []
    ) {
        self.message = message
        self.qos = qos
        self.packetIdentifier = packetIdentifier
        self.isDuplicate = isDuplicate
        self.isRetained = isRetained
        self.topicAlias = topicAlias
        self.subscriptionIdentifiers = subscriptionIdentifiers
    }
}
