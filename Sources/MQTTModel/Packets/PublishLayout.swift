/// The lengths of a PUBLISH packet on the wire, from the parts it is made of: what the encoder writes, and what a
/// client's Maximum Packet Size is held against [MQTT-3.1.2-24] before anything is encoded.
package struct PublishLayout: Sendable, Hashable {
    /// Bytes of all properties, without their length field; 0 before 5.0.
    package let propertiesLength: Int
    package let remainingLength: Int

    /// Bytes of the whole packet.
    package var packetLength: Int { 1 + VariableByteInteger.length(of: remainingLength) + remainingLength }

    package init(
        message: borrowing ApplicationMessage, version: ProtocolVersion, qos: QoS, omitsTopic: Bool = false,
        hasTopicAlias: Bool = false, hasExpiry: Bool = false, subscriptionIdentifiers: ArraySlice<UInt32> = []
    ) {
        var remaining = 2 + (omitsTopic ? 0 : message.topicLength) + message.payloadLength
        if qos != .atMostOnce { remaining += 2 }
        var properties = 0
        if version.hasProperties {
            properties = message.propertiesLength + (hasTopicAlias ? 3 : 0) + (hasExpiry ? 5 : 0)
            for identifier in subscriptionIdentifiers {
                properties += 1 + VariableByteInteger.length(of: Int(identifier))
            }
            remaining += VariableByteInteger.length(of: properties) + properties
        }
        propertiesLength = properties
        remainingLength = remaining
    }
}
