/// SUBACK (section 3.9): a reason code for each filter, in order. Towards a 3.x client every failure is written as 0x80.
package struct SubAck: Sendable, Hashable {
    package var packetIdentifier: PacketIdentifier
    package var reasonCodes: [ReasonCode]
    package var properties: Properties

    package init(packetIdentifier: PacketIdentifier, reasonCodes: [ReasonCode], properties: Properties = []) {
        self.packetIdentifier = packetIdentifier
        self.reasonCodes = reasonCodes
        self.properties = properties
    }
}
