/// UNSUBSCRIBE (section 3.10).
package struct Unsubscribe: Sendable, Hashable {
    package var packetIdentifier: PacketIdentifier
    /// Never empty [MQTT-3.10.3-2].
    package var filters: [String]
    package var properties: Properties

    package init(packetIdentifier: PacketIdentifier, filters: [String], properties: Properties = []) {
        self.packetIdentifier = packetIdentifier
        self.filters = filters
        self.properties = properties
    }
}
