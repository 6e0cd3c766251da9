import Crypto
package import MQTTModel
package import NATSProtocol

/// Topics as subjects, and filters as filters: a one-to-one image in which matching is the same on both sides.
///
/// A subject has words between dots and forbids empty ones and blanks, a topic has levels between slashes and forbids
/// next to nothing. So each level becomes a word in which `%XX` stands for what a word cannot have, an empty level
/// becomes `%`, and a last word `!` marks the end, so that `a/#`, which matches `a` too, is `a.>`:
///
///     a/b.c//d  →  ROOT.t.a.b%2Ec.%.d.!        a/+  →  ROOT.t.a.*.!        a/#  →  ROOT.t.a.>
///
/// Topics that begin with `$` are beside the others, at `ROOT.d.…`, since a wildcard at the beginning does not match
/// them [MQTT-4.7.2-1]. Topics that are too long for a subject, or have too many levels, are at `ROOT.h.HASH`; who
/// receives one needs the topic beside it (`encodedTopic`), and matches it by itself: a filter with wildcards asks for all
/// of them.
///
/// The form is part of what nodes of different versions say to each other: it does not change.
package struct TopicSubjects: Sendable {
    /// Bytes of the words of a topic, the end included; longer ones are hashed.
    package static let maximumLength = 2048
    /// Levels of a topic; more are hashed.
    package static let maximumLevels = 128

    private let ordinary: [UInt8]
    private let dollar: [UInt8]
    private let hashed: [UInt8]

    /// - Parameter root: the words in front, at most 256 bytes.
    package init(root: Subject) {
        precondition(root.bytes.count <= 256, "a root has to leave room for the topic")
        ordinary = root.bytes + Array(".t.".utf8)
        dollar = root.bytes + Array(".d.".utf8)
        hashed = root.bytes + Array(".h.".utf8)
    }

    /// What messages with this topic are published to.
    package func subject(for topic: TopicName) -> Subject {
        guard let words = TopicWords(topic.string.utf8, allowsWildcards: false), words.fits else {
            return Subject(unchecked: hashed + TopicSubjects.hash(topic.string))
        }
        return Subject(unchecked: prefix(topic.string) + words.bytes)
    }

    /// What a subscription asks for: one filter, or two when topics that are hashed may match. The share name has no part
    /// in it.
    package func filters(for filter: TopicFilter) -> [SubjectFilter] {
        let pattern = filter.pattern
        let words = TopicWords(pattern.utf8, allowsWildcards: true)
        guard filter.hasWildcard else {
            guard let words, words.fits else {
                return [SubjectFilter(unchecked: hashed + TopicSubjects.hash(pattern))]
            }
            return [SubjectFilter(unchecked: prefix(pattern) + words.bytes)]
        }
        let allHashed = SubjectFilter(unchecked: hashed + Array("*".utf8))
        // What a filter matches is at least as long as the filter, so one that does not fit matches hashed topics only.
        guard let words, words.fits else { return [allHashed] }
        return [SubjectFilter(unchecked: prefix(pattern) + words.bytes), allHashed]
    }

    /// What a subject says of the topic.
    package enum Meaning: Hashable, Sendable {
        case topic(TopicName)
        /// The topic is beside the message.
        case hashed
        /// Not a subject of this root, or not in the one form.
        case foreign
    }

    package func meaning(of subject: Subject) -> Meaning {
        let bytes = subject.bytes[...]
        if bytes.starts(with: hashed) { return .hashed }
        let isDollar = bytes.starts(with: dollar)
        guard isDollar || bytes.starts(with: ordinary),
            let text = TopicWords.decode(bytes.dropFirst(ordinary.count)), let topic = TopicName(text),
            (text.utf8.first == UInt8(ascii: "$")) == isDollar
        else { return .foreign }
        return .topic(topic)
    }

    /// A topic in the form of its words, of any length: fit for a header.
    package static func encodedTopic(_ topic: TopicName) -> String {
        let words = TopicWords(topic.string.utf8, allowsWildcards: false, maximumLength: .max)
        return String(decoding: words?.bytes ?? [], as: UTF8.self)
    }

    /// The topic of `encodedTopic`; nil for anything else.
    package static func topic(encoded text: String) -> TopicName? {
        TopicWords.decode(Array(text.utf8)[...]).flatMap { TopicName($0) }
    }

    private func prefix(_ text: String) -> [UInt8] {
        text.utf8.first == UInt8(ascii: "$") ? dollar : ordinary
    }

    private static func hash(_ text: String) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return SHA256.hash(data: Array(text.utf8)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
