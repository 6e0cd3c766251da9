package import MQTTModel

/// What a PUBLISH says about this one delivery of a message, beside the message itself.
package struct PublishHeader: Sendable, Hashable {
    package var qos: QoS
    package var isDuplicate: Bool
    package var isRetained: Bool
    /// Not written with QoS 0.
    package var packetIdentifier: PacketIdentifier
    /// 0 for none; 5.0 only.
    package var topicAlias: UInt16
    /// The topic is left empty: the receiver knows it by the alias.
    package var omitsTopic: Bool
    /// Seconds that the message has left; `.max` when it never expires.
    package var remainingExpiry: UInt32

    package init(
        qos: QoS = .atMostOnce, isDuplicate: Bool = false, isRetained: Bool = false,
        packetIdentifier: PacketIdentifier = 0, topicAlias: UInt16 = 0, omitsTopic: Bool = false,
        remainingExpiry: UInt32 = .max
    ) {
        self.qos = qos
        self.isDuplicate = isDuplicate
        self.isRetained = isRetained
        self.packetIdentifier = packetIdentifier
        self.topicAlias = topicAlias
        self.omitsTopic = omitsTopic
        self.remainingExpiry = remainingExpiry
    }
}
