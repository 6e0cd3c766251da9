import AccessControl
import AccessProviders
import MQTTModel

/// What has to hold of everything that reads texts about access, whatever the bytes are.
package struct AccessCheck: Sendable {
    private let forge: TokenForge

    package init() async throws { forge = try await TokenForge() }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Who reads the bytes; in a file the first byte, modulo their number.
    package enum Target: UInt8, CaseIterable, Sendable {
        case rules, mosquitto, passwords, scram, token
    }

    /// What came of an input; a new one joins the corpus of a run.
    package struct Outcome: Hashable, Sendable {
        let target: Target
        let words: String
    }

    /// Names that clients may choose, friendly and hostile.
    private static let identities = [
        AccessIdentity(clientIdentifier: "c", userName: "u"),
        AccessIdentity(clientIdentifier: "+", userName: "#"),
        AccessIdentity(clientIdentifier: "a/b", userName: nil),
        AccessIdentity(
            clientIdentifier: "", userName: "$SYS", groups: ["g"],
            certificate: CertificateIdentity(commonName: "/", dnsNames: [""])),
    ]
    private static let topics = ["a", "a/b", "a/b/c", "/", "u", "c/x", "$SYS/x", "#x", "\u{E9}"]

    package func run(_ input: [UInt8]) async throws(Failure) -> Outcome {
        let cases = Target.allCases
        let target = cases[Int(input.first ?? 0) % cases.count]
        let bytes = Array(input.dropFirst())
        let words: String
        switch target {
        case .rules: words = try Self.checkRules(String(decoding: bytes, as: UTF8.self))
        case .mosquitto: words = try Self.checkMosquitto(String(decoding: bytes, as: UTF8.self))
        case .passwords: words = try Self.checkPasswords(String(decoding: bytes, as: UTF8.self))
        case .scram: words = await Self.checkScram(bytes)
        case .token: words = try await checkToken(bytes)
        }
        return Outcome(target: target, words: words)
    }

    // MARK: Rules

    private static func checkRules(_ text: String) throws(Failure) -> String {
        var problems: [AccessProblem] = []
        let rules = AccessRuleSet(parsing: text, problems: &problems)
        try readBack(rules.rules)
        for identity in identities {
            let permissions = rules.permissions(for: identity)
            for rule in rules.rules {
                guard TopicFilter(rule.topics.string, allowsShared: false) != nil else {
                    throw Failure(description: "a rule's topics are no filter: \(rule)")
                }
                try check(permissions, filter: rule.topics.string)
            }
            for filter in ["#", "+/b", "a/#", "$SYS/#"] { try check(permissions, filter: filter) }
        }
        return shape(problems) + " \(min(rules.rules.count, 3))"
    }

    /// What a granted subscription matches may be received, unless delivering asks again.
    private static func check(_ permissions: Permissions, filter: String) throws(Failure) {
        guard permissions.permitSubscribing(to: filter), !permissions.restrictsDelivery,
            let pattern = TopicFilter(filter, allowsShared: false)
        else { return }
        for var topic in topics where pattern.matches(topic) {
            let isPermitted = topic.withUTF8 { permissions.permitReceiving(UnsafeRawBufferPointer($0)) }
            guard isPermitted else { throw Failure(description: "\(filter) is granted, \(topic) may not be received") }
        }
    }

    private static func readBack(_ rules: [AccessRule]) throws(Failure) {
        var problems: [AccessProblem] = []
        let text = rules.map(\.description).joined(separator: "\n")
        let again = AccessRuleSet(parsing: text, problems: &problems)
        guard again.rules == rules, problems.allSatisfy({ $0.word != nil }) else {
            throw Failure(description: "rules do not read back: \(text)")
        }
    }

    private static func checkMosquitto(_ text: String) throws(Failure) -> String {
        let imported = MosquittoRules(parsing: text)
        try readBack(imported.rules)
        return shape(imported.problems) + " \(min(imported.rules.count, 3))"
    }

    // MARK: Who a client is

    private static func checkPasswords(_ text: String) throws(Failure) -> String {
        var problems: [AccessProblem] = []
        let file = PasswordFile(parsing: text, problems: &problems)
        for line in file.lines {
            guard PasswordHash(parsing: line.hash.text) == line.hash else {
                throw Failure(description: "a hash does not read back: \(line.hash.text)")
            }
        }
        return shape(problems) + " \(min(file.lines.count, 3))"
    }

    private static func checkScram(_ bytes: [UInt8]) async -> String {
        var file = PasswordFile()
        file.append(
            "u",
            .scram(
                ScramCredentials(
                    rounds: 1, salt: [1], storedKey: [UInt8](repeating: 1, count: 32),
                    serverKey: [UInt8](repeating: 2, count: 32))))
        let provider = ScramProvider(file: file)
        // The bytes are the client's first message up to the first zero, and its last behind it.
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
        func request(_ data: [UInt8], _ exchange: (any AuthenticationExchange)?) -> AuthenticationRequest {
            AuthenticationRequest(clientIdentifier: "c", method: ScramProvider.method, data: data, exchange: exchange)
        }
        guard case .challenge(_, let exchange) = await provider.authenticate(request(parts[0], nil)) else {
            return "no"
        }
        guard parts.count > 1 else { return "challenge" }
        _ = await provider.authenticate(request(parts[1], exchange))
        return "answer"
    }

    /// The bytes are a token's claims, signed as it should be, and a whole token.
    private func checkToken(_ bytes: [UInt8]) async throws(Failure) -> String {
        var words = ""
        for password in [forge.token(claims: bytes), bytes] {
            let request = AuthenticationRequest(clientIdentifier: "c", userName: "x", password: password)
            switch await forge.provider.authenticate(request) {
            case .allow(let grant):
                guard grant.userName?.isEmpty == false else { throw Failure(description: "a token without a name") }
                words += "allow "
            case .deny: words += "deny "
            case .ignore: words += "ignore "
            case .challenge: throw Failure(description: "a token is answered with a challenge")
            }
        }
        return words
    }

    /// The words of the first problems, without what was quoted.
    private static func shape(_ problems: [AccessProblem]) -> String {
        problems.prefix(2).map { String($0.text.prefix { $0 != "\"" }) }.joined(separator: "; ")
    }
}

extension AccessCheck {
    /// What runs start from: an input of each target that does something.
    package static let corpus: [[UInt8]] = [
        (
            Target.rules,
            "group g u \"b c\"\nallow group g readwrite a/#\ndeny user u write a/b # c\nallow everyone read %u/%c/+"
        ),
        (
            .rules,
            "allow anonymous subscribe #\nallow client \"+\" receive %{common-name}/%{dns}/%%\ndeny everyone read $SYS/#"
        ),
        (.mosquitto, "topic read a\nuser u\ntopic write b/#\ntopic deny c\npattern readwrite d/%c/%u/50%\n"),
        (
            .passwords,
            "u:$7$101$c2FsdA==$c2FsdHNhbHRzYWx0c2FsdA==\nv:$scrypt$ln=4,r=8,p=1$AQ==$AQEBAQEBAQEBAQEBAQEBAQ==\n"
        ),
        (
            .passwords,
            "w:SCRAM-SHA-256$4096:AQ==$AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=:"
                + "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
        ),
        (.scram, "n,,n=u,r=abc\0c=biws,r=abc,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        (
            .token,
            #"{"sub":"u","exp":1800000000,"nbf":1,"client":"c","groups":["g"],"acl":["allow read a/#","deny write b"]}"#
        ),
        (.token, #"{"sub":"u","aud":["a","b"],"exp":1e300,"x":{"y":[null,true,-1.5]}}"#),
    ].map { target, text in [target.rawValue] + Array(text.utf8) }
}
