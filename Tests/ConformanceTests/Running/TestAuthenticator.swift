import AccessControl
import MQTTModel

/// Answers for who clients are, the same at every depth, where an exchange's options say that they are checked.
///
/// A user name alone decides: `bad` is refused with 0x86, `stranger` with 0x87, everybody else is let in. The method `steps`
/// asks for as many AUTH packets as the number in the first byte of its data says, and refuses when one of them begins
/// with 255.
final class TestAuthenticator: Authenticator {
    private struct Steps: AuthenticationExchange {
        let left: UInt8
    }

    func authenticate(
        _ request: AuthenticationRequest, answer: @escaping @Sendable (AuthenticationOutcome) -> Void
    ) { answer(Self.outcome(of: request)) }

    static func outcome(of request: AuthenticationRequest) -> AuthenticationOutcome {
        guard let method = request.method else {
            switch request.userName {
            case "bad": return .denied(.badUserNameOrPassword)
            case "stranger": return .denied(.notAuthorized)
            default: return .allowed(AccessGrant(userName: request.userName))
            }
        }
        guard method == "steps", let first = request.data.first else { return .denied(.badAuthenticationMethod) }
        if first == 255 { return .denied(.notAuthorized) }
        let left = (request.exchange as? Steps)?.left ?? first
        guard left > 0 else {
            return .allowed(AccessGrant(userName: request.renewedUserName ?? request.userName, data: [0]))
        }
        return .challenge([left], Steps(left: left - 1))
    }
}

extension AccessPolicy {
    /// Rules as a file has them.
    init(checksClients: Bool = false, rules text: String) {
        var problems: [AccessProblem] = []
        self.init(checksClients: checksClients, rules: AccessRuleSet(parsing: text, problems: &problems))
        precondition(problems.isEmpty, "the rules of an exchange are rules")
    }
}
