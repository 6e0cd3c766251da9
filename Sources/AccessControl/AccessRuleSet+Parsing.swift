/// A rule file, line by line:
///
///     # a comment
///     group operators alice "bob the builder"
///     allow group operators readwrite plant/#
///     allow user carol read plant/+/temperature
///     allow everyone readwrite clients/%c/#
///     deny everyone write plant/alarm
///
/// A word with a space in it stands in quotation marks; `\"` and `\\` are the marks themselves.
extension AccessRuleSet {
    /// Longest line, bytes.
    package static let longestLine = 131_072
    /// Rules and groups of one file.
    package static let maximumLineCount = 1_000_000

    package init(parsing text: String, problems: inout [AccessProblem]) {
        var reader = RuleReader()
        var number = 0
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            guard number <= AccessRuleSet.maximumLineCount else {
                reader.problems.append(AccessProblem(line: number, text: "the file has too many lines"))
                break
            }
            reader.read(Substring(line), number: number)
        }
        reader.checkGroups()
        problems += reader.problems
        self.init(rules: reader.rules, groups: reader.groups)
    }
}

extension AccessRule {
    /// A rule without subject, as a token or a server's answer has it: `allow read plant/#`.
    package init(parsingGranted text: String) throws(AccessProblem) {
        var line = WordReader(Substring(text), number: 1)
        let effect = try line.effect()
        let actions = try line.actions()
        self.init(effect, .everyone, actions, try line.topics())
    }
}

private struct RuleReader {
    var rules: [AccessRule] = []
    var groups: [AccessRuleSet.Group] = []
    var problems: [AccessProblem] = []
    private var groupUses: [(name: String, line: Int)] = []

    init() {}

    mutating func read(_ text: Substring, number: Int) {
        guard text.utf8.count <= AccessRuleSet.longestLine else {
            problems.append(AccessProblem(line: number, text: "the line is too long"))
            return
        }
        var line = WordReader(text, number: number)
        guard !line.isBlank else { return }
        do throws(AccessProblem) {
            if try line.takes("group") { groups.append(try group(&line)) } else { rules.append(try rule(&line)) }
        } catch {
            problems.append(error)
        }
    }

    private mutating func rule(_ line: inout WordReader) throws(AccessProblem) -> AccessRule {
        let effect = try line.effect()
        let subject = try line.subject()
        if case .group(let name) = subject { groupUses.append((name, line.number)) }
        let actions = try line.actions()
        return AccessRule(effect, subject, actions, try line.topics())
    }

    private func group(_ line: inout WordReader) throws(AccessProblem) -> AccessRuleSet.Group {
        let name = try line.word("the group's name")
        var members: [String] = []
        while !line.isBlank { members.append(try line.word("a user's name")) }
        guard !members.isEmpty else {
            throw line.problem("the group has no members; write group NAME USER…")
        }
        return AccessRuleSet.Group(name: name, members: members)
    }

    /// A rule for a group that the file does not have. It may come from whoever checks the clients, so that is a problem
    /// only if the name is so near to another that it looks like a slip.
    mutating func checkGroups() {
        let known = groups.map(\.name)
        guard !known.isEmpty else { return }
        let names = Set(known)
        for use in groupUses where !names.contains(use.name) {
            problems.append(
                AccessProblem(
                    line: use.line, text: "there is no group \"\(use.name)\" in the file", word: use.name,
                    knownWords: known))
        }
    }
}

/// A line, word by word.
struct WordReader {
    private var rest: Substring
    let number: Int

    init(_ text: Substring, number: Int) {
        rest = text
        self.number = number
        skipSpace()
    }

    /// Nothing is left but a comment.
    var isBlank: Bool { rest.isEmpty || rest.utf8.first == UInt8(ascii: "#") }

    func problem(_ text: String, word: String? = nil, known: [String] = []) -> AccessProblem {
        AccessProblem(line: number, text: text, word: word, knownWords: known)
    }

    private mutating func skipSpace() {
        while let first = rest.utf8.first, first == 0x20 || first == 0x09 || first == 0x0D {
            rest = Substring(rest.utf8.dropFirst())
        }
    }

    /// The next word. A `#` begins a comment only where a word could begin.
    mutating func word(_ what: String) throws(AccessProblem) -> String {
        guard !isBlank else { throw problem("\(what) is missing") }
        return try nextWord()
    }

    private mutating func nextWord() throws(AccessProblem) -> String {
        var bytes: [UInt8] = []
        var tail = rest.utf8
        if tail.first == UInt8(ascii: "\"") {
            tail = tail.dropFirst()
            while true {
                guard let byte = tail.popFirst() else { throw problem("a quotation mark is not closed") }
                if byte == UInt8(ascii: "\"") { break }
                guard byte == UInt8(ascii: "\\") else {
                    bytes.append(byte)
                    continue
                }
                guard let escaped = tail.popFirst(), escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\")
                else { throw problem("a backslash in quotation marks stands before \" or \\ only") }
                bytes.append(escaped)
            }
        } else {
            while let byte = tail.first, byte != 0x20, byte != 0x09, byte != 0x0D {
                bytes.append(byte)
                tail = tail.dropFirst()
            }
        }
        rest = Substring(tail)
        skipSpace()
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the next word is this one; then it is taken.
    mutating func takes(_ word: String) throws(AccessProblem) -> Bool {
        var copy = self
        guard try copy.word("a rule") == word else { return false }
        self = copy
        return true
    }

    mutating func effect() throws(AccessProblem) -> AccessRule.Effect {
        let word = try word("allow or deny")
        if let effect = AccessRule.Effect(rawValue: word) { return effect }
        throw problem(
            "a line begins with allow, deny or group, not with \"\(word)\"", word: word,
            known: ["allow", "deny", "group"])
    }

    mutating func subject() throws(AccessProblem) -> AccessRule.Subject {
        let kind = try word("everyone, anonymous, user, client or group")
        switch kind {
        case "everyone": return .everyone
        case "anonymous": return .anonymous
        case "user": return .user(try word("the user's name"))
        case "client": return .client(try word("the client identifier"))
        case "group": return .group(try word("the group's name"))
        default:
            throw problem(
                "who it is about has to be everyone, anonymous, user NAME, client IDENTIFIER or group NAME, not "
                    + "\"\(kind)\"",
                word: kind, known: ["everyone", "anonymous", "user", "client", "group"])
        }
    }

    mutating func actions() throws(AccessProblem) -> AccessRule.Actions {
        let known = AccessRule.Actions.words.map(\.word)
        let word = try word("what may be done (\(known.joined(separator: ", ")))")
        if let found = AccessRule.Actions.words.first(where: { $0.word == word }) { return found.actions }
        throw problem(
            "what may be done has to be one of \(known.joined(separator: ", ")), not \"\(word)\"", word: word,
            known: known)
    }

    /// The rest of the line: a topic filter.
    mutating func topics() throws(AccessProblem) -> TopicTemplate {
        // `#` is a filter here and no comment.
        guard !rest.isEmpty else { throw problem("the topics are missing") }
        let text = try nextWord()
        guard isBlank else {
            throw problem("something follows the topics; topics with a space stand in quotation marks")
        }
        return try template(text)
    }

    func template(_ text: String) throws(AccessProblem) -> TopicTemplate {
        do throws(TopicTemplate.Malformed) {
            return try TopicTemplate(text)
        } catch {
            switch error {
            case .noFilter:
                throw problem(
                    "\"\(text)\" is not a topic filter: # only as the last level, + only as a whole level")
            case .shared:
                throw problem("rules are about topics: a shared subscription is judged by the filter behind its name")
            case .unknownPlaceholder(let name):
                let known = ["%c", "%u", "%%"] + CertificateIdentity.Field.allCases.map { "%{\($0.rawValue)}" }
                throw problem(
                    "there is no placeholder \(name); there are \(known.joined(separator: ", "))", word: name,
                    known: known)
            }
        }
    }
}
