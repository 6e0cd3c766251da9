import AccessControl

extension Setting {
    /// Who may connect and do what.
    static let access: [Setting] = accessFiles + accessTokens + accessHTTP

    private static let accessFiles: [Setting] = [
        path(
            "access.password-file", \.access.passwordFile,
            """
            User names and hashes of their passwords, as `dunlin passwd` or mosquitto_passwd writes them. Lines for SCRAM \
            serve the enhanced authentication SCRAM-SHA-256, too.
            """),
        path(
            "access.rules-file", \.access.rulesFile,
            "Who may do what with which topics, a rule on each line; see docs/access.md. What no rule allows is denied."
        ),
        optionalChoice(
            "access.without-rules", \.access.withoutRules,
            """
            What clients that were checked may do where there is no rule file: nothing but what their token or the HTTP \
            server allows, or everything. Has to be said when only a password file or certificates are asked.
            """),
        choice(
            "access.denied-publish", \.access.deniedPublish,
            """
            What a 3.x client gets that publishes what it may not, as it cannot be told: drop (the message is acknowledged \
            and dropped) or close. A 5.0 client gets 0x87.
            """),
        choice(
            "access.certificate-user-name", \.access.certificateUserName,
            """
            What of a client's certificate is its user name; then it needs no password. The listener has to ask for \
            certificates. Of several alternative names the first counts.
            """),
        integer(
            "access.hashing-threads", \.access.hashingThreads, in: 1...64,
            "Threads that hash passwords, beside the event loops."),
    ]

    private static let accessTokens: [Setting] = [
        path(
            "access.jwt-secret-file", \.access.tokens.secretFile,
            "Takes JSON Web Tokens in the password that are signed with HS256 and the secret in this file."),
        path(
            "access.jwt-public-key-file", \.access.tokens.publicKeyFile,
            "The same, signed with RS256, ES256, ES384 or EdDSA: the public key, PEM."),
        path(
            "access.jwt-key-set-file", \.access.tokens.keySetFile,
            "The same, with a set of public keys (JWKS)."),
        text(
            "access.jwt-key-set-url", \.access.tokens.keySetURL, range: "a URL",
            "The same, fetched from here. Until that has succeeded once every token is refused.",
            isValid: isURL),
        duration(
            "access.jwt-key-set-interval", \.access.tokens.keySetInterval, in: .seconds(1)...(.seconds(86_400)),
            "Time between two fetches of the key set."),
        text(
            "access.jwt-issuer", \.access.tokens.issuer, range: "a text", "The claim iss has to be this."),
        text(
            "access.jwt-audience", \.access.tokens.audience, range: "a text", "The claim aud has to be or to hold this."
        ),
        requiredText(
            "access.jwt-user-name-claim", \.access.tokens.userNameClaim, "The claim that is the user name."),
        text(
            "access.jwt-client-identifier-claim", \.access.tokens.clientIdentifierClaim, range: "a name",
            "The claim that the client identifier has to be, in tokens that have it."),
        requiredText(
            "access.jwt-groups-claim", \.access.tokens.groupsClaim, "The claim with a list of groups for the rules."),
        requiredText(
            "access.jwt-rules-claim", \.access.tokens.rulesClaim,
            "The claim with a list of rules for this client alone, such as `allow read plant/#`."),
    ]

    private static let accessHTTP: [Setting] = [
        text(
            "access.http-url", \.access.http.url, range: "a URL",
            """
            Asks this server who clients are: POST with JSON, answered with JSON; see docs/access.md. A server that does \
            not answer lets nobody in (0x88).
            """, isValid: isURL),
        duration(
            "access.http-timeout", \.access.http.timeout, in: .milliseconds(10)...(.seconds(60)),
            "Time for the server's answer."),
        duration(
            "access.http-remembering", \.access.http.remembering, in: .zero...(.seconds(86_400)),
            "How long an answer is remembered for the same client, user name and password; 0s: not at all."),
    ]

    private static func isURL(_ text: String) -> Bool {
        (text.hasPrefix("http://") || text.hasPrefix("https://")) && !text.contains { $0.isWhitespace }
            && text.utf8.count <= 2048
    }

    // MARK: Shapes

    /// The path of a file, or nothing.
    private static func path(_ key: String, _ path: Path<String?>, _ documentation: String) -> Setting {
        text(key, path, range: "a path", documentation)
    }

    private static func text(
        _ key: String, _ path: Path<String?>, range: String, _ documentation: String,
        isValid: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> Setting {
        Setting(key, .text, range: range, documentation) { value, settings throws(Refusal) in
            guard case .text(let text) = value, !text.isEmpty, !text.contains("\0"), isValid(text) else {
                throw Refusal(text: "has to be \(range)")
            }
            settings[keyPath: path] = text
        } written: {
            $0[keyPath: path].map { "\"\($0)\"" }
        }
    }

    private static func requiredText(_ key: String, _ path: Path<String>, _ documentation: String) -> Setting {
        Setting(key, .text, range: "a name", documentation) { value, settings throws(Refusal) in
            guard case .text(let text) = value, !text.isEmpty else { throw Refusal(text: "has to be a name") }
            settings[keyPath: path] = text
        } written: {
            "\"\($0[keyPath: path])\""
        }
    }

    private static func optionalChoice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: String, _ path: Path<Choice?>, _ documentation: String
    ) -> Setting {
        let words = Choice.allCases.map(\.rawValue)
        return Setting(key, .choice(words), range: words.joined(separator: ", "), documentation) {
            value, settings throws(Refusal) in
            guard case .text(let text) = value, let choice = Choice(rawValue: text) else {
                throw Refusal(text: "has to be one of \(words.joined(separator: ", "))")
            }
            settings[keyPath: path] = choice
        } written: {
            $0[keyPath: path]?.rawValue
        }
    }
}
