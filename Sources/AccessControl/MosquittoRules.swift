/// An `acl_file` of Mosquitto as rules of ours, line for line.
///
/// Where the two differ, the result allows less:
/// - Mosquitto lets a client subscribe to anything and filters what is delivered. Here a subscription has to lie within
///   what may be read. `allowsAnySubscription` adds the rule that makes it Mosquitto's way.
/// - A `pattern deny` is there outweighed by a `topic` line of the user; here a deny always wins.
package struct MosquittoRules: Sendable {
    package private(set) var rules: [AccessRule] = []
    package private(set) var problems: [AccessProblem] = []

    package init(parsing text: String, allowsAnySubscription: Bool = false) {
        // Lines before the first `user` are for those without a name.
        var subject = AccessRule.Subject.anonymous
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            let (keyword, rest) = Self.firstWord(Substring(line))
            do throws(AccessProblem) {
                switch keyword {
                case "": break
                case "user":
                    guard !rest.isEmpty else { throw AccessProblem(line: number, text: "the user's name is missing") }
                    subject = .user(String(rest))
                case "topic": rules.append(try Self.rule(subject, rest, number, isPattern: false))
                case "pattern": rules.append(try Self.rule(.everyone, rest, number, isPattern: true))
                default:
                    if keyword.utf8.first == UInt8(ascii: "#") { break }
                    throw AccessProblem(
                        line: number, text: "a line begins with user, topic or pattern, not with \"\(keyword)\"",
                        word: String(keyword), knownWords: ["user", "topic", "pattern"])
                }
            } catch {
                problems.append(error)
            }
        }
        guard allowsAnySubscription else { return }
        for filter in ["#", "$SYS/#"] {
            if let topics = try? TopicTemplate(filter) {
                rules.append(AccessRule(.allow, .everyone, .subscribe, topics))
            }
        }
    }

    private static func rule(
        _ subject: AccessRule.Subject, _ text: Substring, _ number: Int, isPattern: Bool
    ) throws(AccessProblem) -> AccessRule {
        let (word, rest) = firstWord(text)
        var effect = AccessRule.Effect.allow
        var actions = AccessRule.Actions.readWrite
        var filter = rest
        switch word {
        case "read": actions = .read
        case "write": actions = .write
        case "readwrite": break
        case "deny": effect = .deny
        default: filter = text
        }
        guard !filter.isEmpty else { throw AccessProblem(line: number, text: "the topic is missing") }
        // Only patterns have placeholders; elsewhere a percent sign is one.
        let template =
            isPattern
            ? escapeUnknown(filter)
            : filter.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
        return AccessRule(
            effect, subject, actions, try WordReader("", number: number).template(template))
    }

    /// In a pattern `%c` and `%u` are placeholders; every other percent sign is one.
    private static func escapeUnknown(_ filter: Substring) -> String {
        var result: [UInt8] = []
        var rest = filter.utf8
        while let byte = rest.popFirst() {
            result.append(byte)
            guard byte == UInt8(ascii: "%") else { continue }
            if rest.first == UInt8(ascii: "c") || rest.first == UInt8(ascii: "u") { continue }
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The first word, and what follows without the space around it.
    private static func firstWord(_ text: Substring) -> (Substring, Substring) {
        let text = trimmed(text)
        let end = text.utf8.firstIndex { $0 == 0x20 || $0 == 0x09 } ?? text.endIndex
        return (text[..<end], trimmed(text[end...]))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var utf8 = text.utf8
        while let first = utf8.first, isSpace(first) { utf8 = utf8.dropFirst() }
        while let last = utf8.last, isSpace(last) { utf8 = utf8.dropLast() }
        return Substring(utf8)
    }
}
