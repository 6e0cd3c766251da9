package import MQTTModel

/// The reverse of `PacketEncoder.encodeForwardedProperties`.
package enum ForwardedProperties {
    /// The properties in the bytes of `ApplicationMessage.properties`, in their order. The decoder has checked those
    /// bytes; if they come from elsewhere, what cannot be decoded ends the list.
    package static func decode(_ bytes: UnsafeRawBufferPointer) -> Properties {
        var properties = Properties()
        guard let base = bytes.baseAddress else { return properties }
        var scanner = PropertyScanner(bytes, base: base, packet: .publishToClient)
        while let encoded = try? scanner.next() { properties.append(Property(encoded)) }
        return properties
    }
}
