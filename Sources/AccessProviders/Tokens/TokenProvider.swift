package import AccessControl
import Foundation
import JWTKit
import MQTTModel
import Synchronization

/// Takes a JSON Web Token in the password for the client's proof. The user name is the token's, whatever the CONNECT says;
/// when the token expires, the client is disconnected.
package final class TokenProvider: AuthenticationProvider {
    package let name = "jwt"
    /// Clocks differ a little.
    static let leewaySeconds = 5.0
    static let maximumRuleCount = 1000

    private let options: TokenOptions
    private let keys: Mutex<TokenKeys?>
    /// Seconds since 1970.
    private let clock: @Sendable () -> Double

    /// - Parameter keys: nil until a key set has been fetched; every token is refused until then.
    package init(
        keys: TokenKeys?, options: TokenOptions,
        clock: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }
    ) {
        self.keys = Mutex(keys)
        self.options = options
        self.clock = clock
    }

    package func replaceKeys(with keys: TokenKeys) { self.keys.withLock { $0 = keys } }

    package func authenticate(_ request: AuthenticationRequest) async -> ProviderAnswer {
        guard request.method == nil, let password = request.password, Self.looksLikeToken(password) else {
            return .ignore
        }
        guard let keys = keys.withLock({ $0 }) else { return .deny(.serverUnavailable) }
        guard let claims = try? await keys.collection.verify(password, as: TokenClaims.self) else {
            return .deny(.badUserNameOrPassword)
        }
        guard let grant = grant(for: claims, clientIdentifier: request.clientIdentifier) else {
            return .deny(.badUserNameOrPassword)
        }
        return .allow(grant)
    }

    /// Three parts of base64 with dots between them, the first of them a JSON object: `{"` is `eyJ` there.
    static func looksLikeToken(_ bytes: [UInt8]) -> Bool {
        guard bytes.starts(with: "eyJ".utf8) else { return false }
        var dots = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "."): dots += 1
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                continue
            default: return false
            }
        }
        return dots == 2
    }

    /// What the token grants; nil if it is not in force, not for us, or not for this client.
    func grant(for claims: TokenClaims, clientIdentifier: String) -> AccessGrant? {
        let now = clock()
        if let issuer = options.issuer, claims["iss"]?.text != issuer { return nil }
        if let audience = options.audience, claims["aud"]?.texts?.contains(audience) != true { return nil }
        if let notBefore = claims["nbf"] {
            guard let seconds = notBefore.number, seconds <= now + Self.leewaySeconds else { return nil }
        }
        var lifetime: Duration?
        if let expiry = claims["exp"] {
            guard let seconds = expiry.number, seconds > now - Self.leewaySeconds else { return nil }
            // A hundred years are for ever, and no number is too large for a duration.
            let left = min(max(seconds - now, 0), 3_155_760_000)
            lifetime = .seconds(left)
        }
        if let name = options.clientIdentifierClaim, let claimed = claims[name] {
            guard let text = claimed.text, ExactText(text) == ExactText(clientIdentifier) else { return nil }
        }
        guard let userName = claims[options.userNameClaim]?.text, !userName.isEmpty else { return nil }
        guard let rules = Self.rules(claims[options.rulesClaim]) else { return nil }
        return AccessGrant(
            userName: userName, groups: claims[options.groupsClaim]?.texts ?? [], rules: rules, lifetime: lifetime)
    }

    /// nil if a rule is none: a token with a rule that cannot be read must not grant more than was meant.
    private static func rules(_ claim: ClaimValue?) -> [AccessRule]? {
        guard let claim else { return [] }
        guard let texts = claim.texts, texts.count <= maximumRuleCount else { return nil }
        return GrantedRules.parse(texts)
    }
}

/// Rules that come with an answer.
enum GrantedRules {
    /// nil if one of them is no rule.
    static func parse(_ texts: [String]) -> [AccessRule]? {
        var rules: [AccessRule] = []
        for text in texts {
            guard let rule = try? AccessRule(parsingGranted: text) else { return nil }
            rules.append(rule)
        }
        return rules
    }
}
