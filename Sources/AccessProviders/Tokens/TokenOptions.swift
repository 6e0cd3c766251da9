/// What a token has to say, and where.
package struct TokenOptions: Sendable, Hashable {
    /// `iss` has to be this; nil: not looked at.
    package var issuer: String?
    /// `aud` has to be, or to hold, this; nil: not looked at.
    package var audience: String?
    /// The claim that is the user name.
    package var userNameClaim = "sub"
    /// The claim that the client identifier has to be, where a token has it; nil: not looked at.
    package var clientIdentifierClaim: String?
    /// The claim with the groups, a list of texts.
    package var groupsClaim = "groups"
    /// The claim with rules for this client, a list of texts such as `allow read plant/#`.
    package var rulesClaim = "acl"

    package init() {}
}
