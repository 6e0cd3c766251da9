package import AccessControl

/// Who may connect and do what, as an operator writes it; docs/access.md tells how to set up each.
package struct AccessSettings: Sendable, Hashable {
    /// User names and what is kept of their passwords.
    package var passwordFile: String?
    package var rulesFile: String?
    /// What clients that were checked may do when there is no rule file; nil: nobody has said.
    package var withoutRules: WithoutRules?
    package var deniedPublish = DeniedPublish.drop
    package var certificateUserName = CertificateUserName.none
    /// Threads for hashing passwords.
    package var hashingThreads = 2
    package var tokens = TokenSettings()
    package var http = HTTPAccessSettings()

    package init() {}

    /// What clients may do that were checked, when there is no rule file.
    package enum WithoutRules: String, Sendable, CaseIterable {
        case deny
        case allow
    }

    /// What of a client's certificate is its user name.
    package enum CertificateUserName: String, Sendable, CaseIterable {
        case none
        case commonName = "common-name"
        case dns
        case email
        case uri

        package var field: CertificateIdentity.Field? { CertificateIdentity.Field(rawValue: rawValue) }
    }

    /// Whether every client is checked before it is let in.
    package var checksClients: Bool {
        passwordFile != nil || certificateUserName != .none || tokens.isSet || http.url != nil
    }

    /// Whether there is anything to ask or to check.
    package var isSet: Bool { checksClients || rulesFile != nil }
}

/// JSON Web Tokens in the password.
package struct TokenSettings: Sendable, Hashable {
    package var secretFile: String?
    package var publicKeyFile: String?
    package var keySetFile: String?
    package var keySetURL: String?
    package var keySetInterval = Duration.seconds(300)
    package var issuer: String?
    package var audience: String?
    package var userNameClaim = "sub"
    package var clientIdentifierClaim: String?
    package var groupsClaim = "groups"
    package var rulesClaim = "acl"

    package init() {}

    /// Where the keys are, by the key of the configuration.
    package var sources: [(key: String, place: String)] {
        [
            ("access.jwt-secret-file", secretFile), ("access.jwt-public-key-file", publicKeyFile),
            ("access.jwt-key-set-file", keySetFile), ("access.jwt-key-set-url", keySetURL),
        ].compactMap { key, place in place.map { (key, $0) } }
    }

    package var isSet: Bool { !sources.isEmpty }
}

/// A server that is asked over HTTP.
package struct HTTPAccessSettings: Sendable, Hashable {
    package var url: String?
    package var timeout = Duration.seconds(2)
    package var remembering = Duration.seconds(60)

    package init() {}
}

extension BrokerSettings {
    /// What is wrong with the settings about access taken together.
    func accessContradictions(file: String?) -> [SettingsProblem] {
        var problems: [SettingsProblem] = []
        let sources = access.tokens.sources
        if sources.count > 1 {
            problems.append(
                SettingsProblem(
                    file: file, key: sources[1].key, text: "the keys of tokens are given by \(sources[0].key) already"))
        }
        if access.rulesFile != nil, access.withoutRules != nil {
            problems.append(
                SettingsProblem(
                    file: file, key: "access.without-rules", text: "there is access.rules-file; leave one out"))
        }
        let grantsRules = access.tokens.isSet || access.http.url != nil
        if access.checksClients, !grantsRules, access.rulesFile == nil, access.withoutRules == nil {
            problems.append(
                SettingsProblem(
                    file: file, key: "access.rules-file",
                    text: """
                        clients are checked, and nothing says what they may do then: give a rule file, or say \
                        access.without-rules: allow for everything
                        """))
        }
        return problems
    }
}
