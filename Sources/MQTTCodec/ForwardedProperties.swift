package import MQTTModel

/// The reverse of `PacketEncoder.encodeForwardedProperties`.
package enum ForwardedProperties {
    package static func decode(_ bytes: UnsafeRawBufferPointer) -> Properties { [] }
}
