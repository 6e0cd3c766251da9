package import MQTTModel
package import struct NIOCore.ByteBuffer

/// Writes packets as bytes.
package enum PacketEncoder {
    package static func append(_ packet: Packet, version: ProtocolVersion, to buffer: inout ByteBuffer) {}

    package static func appendPublish(
        _ message: ApplicationMessage, _ header: PublishHeader, subscriptionIdentifiers: ArraySlice<UInt32> = [],
        version: ProtocolVersion, to buffer: inout ByteBuffer
    ) {}

    package static func appendAcknowledgement(
        _ kind: Acknowledgement.Kind, _ packetIdentifier: PacketIdentifier, _ reasonCode: ReasonCode = .success,
        version: ProtocolVersion, to buffer: inout ByteBuffer
    ) {}

    /// Bytes that `append` writes, for a client's Maximum Packet Size [MQTT-3.1.2-24].
    package static func encodedLength(_ packet: Packet, version: ProtocolVersion) -> Int { 0 }

    /// The properties in the form of `ApplicationMessage.properties`, for a client that makes a message.
    package static func encodeForwardedProperties(_ properties: Properties) -> [UInt8] { [] }
}
