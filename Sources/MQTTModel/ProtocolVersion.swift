/// The version of the protocol that a connection speaks; the raw value is the protocol level of CONNECT.
public enum ProtocolVersion: UInt8, Sendable, Hashable, Comparable, CaseIterable {
    /// MQTT 3.1, protocol name `MQIsdp`.
    case v3_1 = 3
    /// MQTT 3.1.1, protocol name `MQTT`.
    case v3_1_1 = 4
    /// MQTT 5.0, protocol name `MQTT`.
    case v5_0 = 5

    /// The protocol name that belongs to this level [MQTT-3.1.2-1].
    public var protocolName: String { self == .v3_1 ? "MQIsdp" : "MQTT" }

    /// Whether packets of this version carry properties and reason codes.
    public var hasProperties: Bool { self == .v5_0 }

    public static func < (left: ProtocolVersion, right: ProtocolVersion) -> Bool { left.rawValue < right.rawValue }
}
