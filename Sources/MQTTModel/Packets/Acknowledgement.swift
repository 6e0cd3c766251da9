/// The four packets that acknowledge a PUBLISH (sections 3.4 to 3.7): the same shape, so one type.
package struct Acknowledgement: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable {
        case pubAck = 4
        case pubRec = 5
        case pubRel = 6
        case pubComp = 7
    }

    package var kind: Kind
    package var packetIdentifier: PacketIdentifier
    package var reasonCode: ReasonCode
    /// Reason string and user properties; 5.0 only.
    package var properties: Properties

    package init(
        _ kind: Kind, _ packetIdentifier: PacketIdentifier, reasonCode: ReasonCode = .success,
        properties: Properties = []
    ) {
        self.kind = kind
        self.packetIdentifier = packetIdentifier
        self.reasonCode = reasonCode
        self.properties = properties
    }
}
