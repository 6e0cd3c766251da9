/// UNSUBACK (section 3.11). In 3.x it has neither reason codes nor properties on the wire.
package struct UnsubAck: Sendable, Hashable {
    package var packetIdentifier: PacketIdentifier
    package var reasonCodes: [ReasonCode]
    package var properties: Properties

    package init(packetIdentifier: PacketIdentifier, reasonCodes: [ReasonCode], properties: Properties = []) {
        self.packetIdentifier = packetIdentifier
        self.reasonCodes = reasonCodes
        self.properties = properties
    }
}
