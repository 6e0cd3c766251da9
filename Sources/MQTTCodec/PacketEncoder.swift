package import MQTTModel
package import struct NIOCore.ByteBuffer

/// Writes packets as bytes, each with one reservation of the bytes it takes.
package enum PacketEncoder {
    /// Appends `packet` in the form of `version`. What the version has no words for (properties, most reason codes) is
    /// left out or translated.
    package static func append(_ packet: Packet, version: ProtocolVersion, to buffer: inout ByteBuffer) {
        if case .publish(let publish) = packet {
            appendPublish(
                publish.message, PublishHeader(publish), subscriptionIdentifiers: publish.subscriptionIdentifiers[...],
                version: version, to: &buffer)
            return
        }
        let remainingLength = packet.bodyLength(version: version)
        let length = packetLength(remainingLength: remainingLength)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { memory in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(rebasing: memory[..<length]))
            writer.write(packet.firstByte)
            writer.writeVariableByteInteger(remainingLength)
            packet.encodeBody(to: &writer, version: version)
            assert(writer.count == length)
            return writer.count
        }
    }

    /// Appends a PUBLISH of `message`. The bytes are as many as `PublishLayout` says; a packet above the protocol's own
    /// limit of 268,435,460 bytes, which no client's Maximum Packet Size allows, is not appended.
    package static func appendPublish(
        _ message: ApplicationMessage, _ header: PublishHeader, subscriptionIdentifiers: ArraySlice<UInt32> = [],
        version: ProtocolVersion, to buffer: inout ByteBuffer
    ) {
        let layout = header.layout(of: message, subscriptionIdentifiers: subscriptionIdentifiers, version: version)
        guard layout.remainingLength <= VariableByteInteger.maximum else { return }
        let length = layout.packetLength
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { memory in
            var writer = ByteWriter(memory)
            header.write(
                message, subscriptionIdentifiers: subscriptionIdentifiers, version: version, layout: layout, to: &writer
            )
            assert(writer.count == length)
            return writer.count
        }
    }

    /// Appends a PUBACK, PUBREC, PUBREL or PUBCOMP without properties. 3.x has no reason codes: a failure is not told.
    package static func appendAcknowledgement(
        _ kind: Acknowledgement.Kind, _ packetIdentifier: PacketIdentifier, _ reasonCode: ReasonCode = .success,
        version: ProtocolVersion, to buffer: inout ByteBuffer
    ) {
        let hasReason = version.hasProperties && reasonCode != .success
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 5) { memory in
            var writer = ByteWriter(memory)
            writer.write(kind.firstByte)
            writer.write(UInt8(hasReason ? 3 : 2))
            writer.write(packetIdentifier)
            if hasReason { writer.write(reasonCode.rawValue) }
            return writer.count
        }
    }

    /// Bytes that `append` writes, for a client's Maximum Packet Size [MQTT-3.1.2-24].
    package static func encodedLength(_ packet: Packet, version: ProtocolVersion) -> Int {
        if case .publish(let publish) = packet {
            return PublishHeader(publish).layout(
                of: publish.message, subscriptionIdentifiers: publish.subscriptionIdentifiers[...], version: version
            ).packetLength
        }
        return packetLength(remainingLength: packet.bodyLength(version: version))
    }

    /// The properties in the form of `ApplicationMessage.properties`, for a client that makes a message: those that
    /// travel with a message, in their order; others are skipped.
    package static func encodeForwardedProperties(_ properties: Properties) -> [UInt8] {
        let forwarded = properties.all.filter { $0.identifier.isForwarded }
        var counter = ByteCounter()
        for property in forwarded { property.encode(to: &counter) }
        return [UInt8](unsafeUninitializedCapacity: counter.count) { memory, count in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(memory))
            for property in forwarded { property.encode(to: &writer) }
            count = writer.count
        }
    }

    private static func packetLength(remainingLength: Int) -> Int {
        1 + VariableByteInteger.length(of: remainingLength) + remainingLength
    }
}
