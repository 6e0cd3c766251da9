/// CONNACK: the server's answer to CONNECT (section 3.2).
package struct ConnAck: Sendable, Hashable {
    package var isSessionPresent: Bool
    /// The 5.0 reason code. Towards a 3.x client the codec writes the return code that means the same
    /// (`ConnAck.returnCode`), and decodes one into it.
    package var reasonCode: ReasonCode
    package var properties: Properties

    package init(isSessionPresent: Bool = false, reasonCode: ReasonCode, properties: Properties = []) {
        self.isSessionPresent = isSessionPresent
        self.reasonCode = reasonCode
        self.properties = properties
    }

    /// The return code of 3.1.1 table 3.1 that stands for a reason code; 3 (server unavailable) for what it cannot say.
    package static func returnCode(for reasonCode: ReasonCode) -> UInt8 {
        switch reasonCode {
        case .success: 0
        case .unsupportedProtocolVersion: 1
        case .clientIdentifierNotValid: 2
        case .badUserNameOrPassword, .badAuthenticationMethod: 4
        case .notAuthorized, .banned: 5
        default: 3
        }
    }

    /// The reason code that stands for a return code of 3.1.1; nil for the reserved ones.
    package static func reasonCode(forReturnCode returnCode: UInt8) -> ReasonCode? {
        switch returnCode {
        case 0: .success
        case 1: .unsupportedProtocolVersion
        case 2: .clientIdentifierNotValid
        case 3: .serverUnavailable
        case 4: .badUserNameOrPassword
        case 5: .notAuthorized
        default: nil
        }
    }
}
