import AccessControl
import AccessProviders
import BrokerConfiguration
import Foundation

/// What stands in the files that the settings about access name. Read by `serve` at its start and at SIGHUP, and by
/// `check`.
struct AccessFiles {
    private(set) var policy: AccessPolicy
    private(set) var passwords: PasswordFile?
    private(set) var tokenKeys: TokenKeys?

    /// - Throws: everything that is wrong with them.
    init(_ settings: BrokerSettings) async throws(InvalidSettings) {
        let access = settings.access
        var problems: [SettingsProblem] = []
        policy = AccessPolicy(checksClients: access.checksClients)
        policy.deniedPublish = access.deniedPublish
        if let path = access.rulesFile {
            policy.rules = Self.read(path, for: "access.rules-file", &problems) {
                AccessRuleSet(parsing: $0, problems: &$1)
            }
        } else if access.withoutRules != .allow {
            policy.rules = AccessRuleSet()
        }
        if let path = access.passwordFile {
            passwords = Self.read(path, for: "access.password-file", &problems) {
                PasswordFile(parsing: $0, problems: &$1)
            }
        }
        do throws(SettingsProblem) {
            tokenKeys = try await Self.tokenKeys(access.tokens)
        } catch {
            problems.append(error)
        }
        if !problems.isEmpty { throw InvalidSettings(problems) }
    }

    private static func read<Content>(
        _ path: String, for key: String, _ problems: inout [SettingsProblem],
        parse: (String, inout [AccessProblem]) -> Content
    ) -> Content? {
        guard let data = FileManager.default.contents(atPath: path) else {
            problems.append(SettingsProblem(key: key, text: "\(path) cannot be read"))
            return nil
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            problems.append(SettingsProblem(file: path, text: "the file is not UTF-8"))
            return nil
        }
        var found: [AccessProblem] = []
        let content = parse(text, &found)
        problems += found.map { SettingsProblem($0, file: path) }
        return content
    }

    private static func tokenKeys(_ settings: TokenSettings) async throws(SettingsProblem) -> TokenKeys? {
        guard let source = settings.sources.first, source.place != settings.keySetURL else { return nil }
        guard let data = FileManager.default.contents(atPath: source.place) else {
            throw SettingsProblem(key: source.key, text: "\(source.place) cannot be read")
        }
        do throws(TokenKeys.Malformed) {
            if settings.secretFile != nil { return try await .secret(Array(data)) }
            if settings.publicKeyFile != nil { return try await .publicKey(pem: String(decoding: data, as: UTF8.self)) }
            return try await .keySet(json: data)
        } catch {
            throw SettingsProblem(file: source.place, text: error.description)
        }
    }
}

extension SettingsProblem {
    /// With "did you mean" where a word is nearly one that is known.
    init(_ problem: AccessProblem, file: String?) {
        var text = problem.text
        if let word = problem.word, let nearest = Suggestion.nearest(to: word, among: problem.knownWords) {
            text += "; did you mean \(nearest)?"
        }
        self.init(file: file, line: problem.line, text: text)
    }
}
