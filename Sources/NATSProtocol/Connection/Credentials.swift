/// Who the client is.
package enum Credentials: Hashable, Sendable {
    case none
    case password(user: String, password: String)
    case token(String)
    /// A user's key, by its seed: the server knows the public half.
    case nkey(seed: String)
    /// A user's JWT with the seed of the key that it names, as a `.creds` file holds them.
    case jwt(String, seed: String)

    /// The contents of a `.creds` file; nil when one of its two parts is missing.
    package init?(file text: String) {
        guard let jwt = Credentials.section("NATS USER JWT", of: text),
            let seed = Credentials.section("USER NKEY SEED", of: text), NKey.decodeSeed(seed) != nil
        else { return nil }
        self = .jwt(jwt, seed: seed)
    }

    /// The first line between `-----BEGIN NAME-----` and the dashes of its end.
    private static func section(_ name: String, of text: String) -> String? {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.trimmingBlanks }
        guard let start = lines.firstIndex(where: { $0.hasPrefix("-") && $0.contains("BEGIN \(name)") }) else {
            return nil
        }
        return lines[(start + 1)...].first { !$0.isEmpty }.flatMap { $0.hasPrefix("-") ? nil : String($0) }
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var text = self
        while let last = text.last, last.isWhitespace { text.removeLast() }
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        return text
    }
}
