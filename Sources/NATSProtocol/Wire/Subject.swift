/// The name that a message is published under: words between dots, none of them empty.
///
/// What a server would answer with an error, or by closing the connection, is refused here: empty words, spaces,
/// control characters, and wildcards.
package struct Subject: Hashable, Sendable {
    /// Bytes. Servers take a line of 4,096 bytes unless `max_control_line` says more, and lines beyond 65,535 bytes reach
    /// other servers spoiled.
    package static let maximumLength = 8192

    package let bytes: [UInt8]

    /// nil when it is none.
    package init?(bytes: [UInt8]) {
        guard SubjectRules.isWellFormed(bytes, allowsWildcards: false) else { return nil }
        self.bytes = bytes
    }

    /// nil when it is none.
    package init?(_ text: some StringProtocol) { self.init(bytes: Array(text.utf8)) }

    /// Of bytes that were made by the rules, or come from a server.
    package init(unchecked bytes: [UInt8]) { self.bytes = bytes }
}

extension Subject: ExpressibleByStringLiteral, CustomStringConvertible {
    /// A literal that is no subject is a mistake in the source.
    package init(stringLiteral text: String) {
        guard let subject = Subject(text) else { preconditionFailure("a literal has to be a subject: \(text)") }
        self = subject
    }

    package var description: String { String(decoding: bytes, as: UTF8.self) }
}

/// What a subscription asks for: a subject in which `*` stands for one word and `>` at the end for one or more.
package struct SubjectFilter: Hashable, Sendable {
    package let bytes: [UInt8]

    /// nil when it is none.
    package init?(bytes: [UInt8]) {
        guard SubjectRules.isWellFormed(bytes, allowsWildcards: true) else { return nil }
        self.bytes = bytes
    }

    /// nil when it is none.
    package init?(_ text: some StringProtocol) { self.init(bytes: Array(text.utf8)) }

    /// The filter that only this subject matches.
    package init(_ subject: Subject) { bytes = subject.bytes }

    /// Of bytes that were made by the rules.
    package init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Whether a message with this subject reaches the subscription.
    package func matches(_ subject: Subject) -> Bool {
        var words = subject.bytes.split(separator: Byte.dot, omittingEmptySubsequences: false)[...]
        for word in bytes.split(separator: Byte.dot, omittingEmptySubsequences: false) {
            if word.elementsEqual([UInt8(ascii: ">")]) { return !words.isEmpty }
            guard let other = words.popFirst() else { return false }
            guard word.elementsEqual([UInt8(ascii: "*")]) || word == other else { return false }
        }
        return words.isEmpty
    }
}

extension SubjectFilter: ExpressibleByStringLiteral, CustomStringConvertible {
    /// A literal that is no filter is a mistake in the source.
    package init(stringLiteral text: String) {
        guard let filter = SubjectFilter(text) else { preconditionFailure("a literal has to be a filter: \(text)") }
        self = filter
    }

    package var description: String { String(decoding: bytes, as: UTF8.self) }
}

enum SubjectRules {
    static func isWellFormed(_ bytes: [UInt8], allowsWildcards: Bool) -> Bool {
        guard !bytes.isEmpty, bytes.count <= Subject.maximumLength else { return false }
        var wordLength = 0
        var first: UInt8 = 0
        var hasEnded = false
        for index in 0...bytes.count {
            let byte = index < bytes.count ? bytes[index] : Byte.dot
            guard byte > Byte.space, byte != 0x7F else { return false }
            guard byte == Byte.dot else {
                if wordLength == 0 { first = byte }
                wordLength += 1
                continue
            }
            guard wordLength > 0, !hasEnded else { return false }
            if wordLength == 1, first == UInt8(ascii: "*") || first == UInt8(ascii: ">") {
                guard allowsWildcards else { return false }
                hasEnded = first == UInt8(ascii: ">")
            }
            wordLength = 0
        }
        return true
    }
}
