/// A peer broke the standard: the answer that 5.0 gives it, the statement it broke, and what was wrong.
///
/// A value and not a crash: whatever a peer sends ends here at worst. In 3.x, which has no reason codes in most places,
/// the connection is closed instead.
public struct ProtocolViolation: Error, Sendable, Hashable, CustomStringConvertible {
    public let reasonCode: ReasonCode
    /// The normative statement, such as `MQTT-3.3.1-4`; a section such as `5.0 section 3.1.2.11` where none has a number.
    public let clause: String
    /// What was wrong, in words that may be shown to the peer's developer.
    public let detail: String

    public init(_ reasonCode: ReasonCode, clause: StaticString, _ detail: StaticString) {
        self.reasonCode = reasonCode
        self.clause = "\(clause)"
        self.detail = "\(detail)"
    }

    public static func malformed(_ clause: StaticString, _ detail: StaticString) -> ProtocolViolation {
        ProtocolViolation(.malformedPacket, clause: clause, detail)
    }

    public static func protocolError(_ clause: StaticString, _ detail: StaticString) -> ProtocolViolation {
        ProtocolViolation(.protocolError, clause: clause, detail)
    }

    public var description: String { "\(reasonCode): \(detail) [\(clause)]" }
}
