import AccessControl
import MQTTModel

/// Rules, and answers about who clients are, for `CoreFuzz`: what is said decides, so that a script can be repeated.
enum FuzzAccess {
    private struct Step: AuthenticationExchange {
        let number: UInt8
    }

    private static let lines = [
        "allow everyone readwrite #", "allow user u readwrite a/#", "allow everyone readwrite %u/#",
        "deny everyone write b",
        "deny everyone read a/b", "allow everyone subscribe #", "deny everyone receive a",
        "allow anonymous read $SYS/#",
    ]

    /// What the first byte of a script says; nil: nothing about access.
    static func policy(_ byte: UInt8) -> AccessPolicy? {
        guard byte & (CoreScript.hasRules | CoreScript.checksClients) != 0 else { return nil }
        var policy = policy(byte &* 37, isFixed: true)
        policy.checksClients = byte & CoreScript.checksClients != 0
        if byte & CoreScript.hasRules == 0 { policy.rules = nil }
        return policy
    }

    /// Each bit of `choice` leaves a rule out.
    static func policy(_ choice: UInt8, isFixed: Bool) -> AccessPolicy {
        let text = lines.enumerated().filter { choice & (1 << UInt8($0.offset)) == 0 }.map(\.element)
        var problems: [AccessProblem] = []
        let rules = AccessRuleSet(parsing: text.joined(separator: "\n"), problems: &problems)
        precondition(problems.isEmpty, "the rules are rules")
        var policy = AccessPolicy(checksClients: isFixed, rules: rules)
        policy.deniedPublish = choice & 1 == 0 ? .drop : .close
        return policy
    }

    static func outcome(of request: AuthenticationRequest) -> AuthenticationOutcome {
        let number = request.data.first ?? request.password?.first ?? 0
        if request.method != nil {
            let step = (request.exchange as? Step)?.number ?? number
            if number == 3 { return .denied(.notAuthorized) }
            if step > 0 { return .challenge([step], Step(number: step - 1)) }
            return .allowed(AccessGrant(userName: request.renewedUserName ?? request.userName, lifetime: .seconds(1)))
        }
        switch number {
        case 0: return .allowed(AccessGrant(userName: request.userName))
        case 1: return .allowed(AccessGrant(userName: request.userName, lifetime: .seconds(2)))
        case 2: return .allowed(AccessGrant(userName: request.userName, isUnrestricted: true))
        default: return .denied(.badUserNameOrPassword)
        }
    }
}
