import MQTTModel

extension PublishHeader {
    /// The first byte of the packet.
    var firstByte: UInt8 {
        0x30 | (isDuplicate ? 0x08 : 0) | qos.rawValue << 1 | (isRetained ? 0x01 : 0)
    }

    /// The header of a PUBLISH that is encoded as it stands.
    init(_ publish: Publish) {
        self.init(
            qos: publish.qos, isDuplicate: publish.isDuplicate, isRetained: publish.isRetained,
            packetIdentifier: publish.packetIdentifier, topicAlias: publish.topicAlias,
            remainingExpiry: publish.message.expiryInterval ?? .max)
    }

    func layout(
        of message: ApplicationMessage, subscriptionIdentifiers: ArraySlice<UInt32>, version: ProtocolVersion
    ) -> PublishLayout {
        PublishLayout(
            message: message, version: version, qos: qos, omitsTopic: omitsTopic, hasTopicAlias: topicAlias != 0,
            hasExpiry: remainingExpiry != .max, subscriptionIdentifiers: subscriptionIdentifiers)
    }

    /// Writes the packet that `layout` describes.
    @inline(__always)
    func write(
        _ message: ApplicationMessage, subscriptionIdentifiers: ArraySlice<UInt32>, version: ProtocolVersion,
        layout: PublishLayout, to writer: inout ByteWriter
    ) {
        writer.write(firstByte)
        writer.writeVariableByteInteger(layout.remainingLength)
        if omitsTopic {
            writer.write(UInt16(0))
        } else {
            writer.write(UInt16(truncatingIfNeeded: message.topicLength))
            writer.write(message.topic)
        }
        if qos != .atMostOnce { writer.write(packetIdentifier) }
        if version.hasProperties {
            writer.writeVariableByteInteger(layout.propertiesLength)
            if layout.propertiesLength > message.propertiesLength {
                writeOwnProperties(subscriptionIdentifiers, to: &writer)
            }
            writer.write(message.properties)
        }
        writer.write(message.payload)
    }

    /// The properties of this delivery, as opposed to those of the message.
    private func writeOwnProperties(_ subscriptionIdentifiers: ArraySlice<UInt32>, to writer: inout ByteWriter) {
        if topicAlias != 0 {
            writer.write(PropertyIdentifier.topicAlias.rawValue)
            writer.write(topicAlias)
        }
        if remainingExpiry != .max {
            writer.write(PropertyIdentifier.messageExpiryInterval.rawValue)
            writer.write(remainingExpiry)
        }
        for identifier in subscriptionIdentifiers {
            writer.write(PropertyIdentifier.subscriptionIdentifier.rawValue)
            writer.writeVariableByteInteger(Int(identifier))
        }
    }
}
