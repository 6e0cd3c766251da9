import MQTTModel

@testable import TopicIndex

/// A generator with a seed, so that a failure names the run that shows it.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// Topics and filters over few levels, so that they overlap often.
enum Sample {
    static let long = "a level of more than sixteen bytes"
    static let otherLong = "a level of more than sixteen bites"
    static let levels = ["", "a", "b", "$x", "A", "ab", long, otherLong, "exactly 16 bytes", "exactly 16 bites"]

    static func topic(using random: inout SeededGenerator, alphabet: Int = levels.count) -> String {
        while true {
            let count = Int.random(in: 1...5, using: &random)
            let topic = (0..<count).map { _ in levels[Int.random(in: 0..<alphabet, using: &random)] }
                .joined(separator: "/")
            if !topic.isEmpty { return topic }
        }
    }

    static func pattern(using random: inout SeededGenerator, alphabet: Int = levels.count) -> String {
        while true {
            let count = Int.random(in: 1...5, using: &random)
            var parts = (0..<count).map { _ in
                Int.random(in: 0..<3, using: &random) == 0 ? "+" : levels[Int.random(in: 0..<alphabet, using: &random)]
            }
            if Int.random(in: 0..<4, using: &random) == 0 { parts[count - 1] = "#" }
            let pattern = parts.joined(separator: "/")
            if !pattern.isEmpty { return pattern }
        }
    }

    static func options(using random: inout SeededGenerator) -> SubscriptionOptions {
        SubscriptionOptions(
            maximumQoS: QoS.allCases[Int.random(in: 0..<3, using: &random)], noLocal: Bool.random(using: &random),
            retainAsPublished: Bool.random(using: &random))
    }

    /// Each string of one to `depth` levels of `levels`, but the empty one.
    static func every(_ levels: [String], depth: Int) -> [String] {
        var all: [String] = []
        var last = [""]
        for position in 0..<depth {
            last = last.flatMap { head in levels.map { position == 0 ? $0 : head + "/" + $0 } }
            all += last
        }
        return all.filter { !$0.isEmpty }
    }
}

/// What `TopicFilter.matches` says of every filter and topic of up to four levels; topics in the order that the retained
/// index promises.
enum PlainRule {
    static let topics = Sample.every(["", "a", "b", "$x"], depth: 4).sorted(by: comesBefore)

    /// The lexical order of levels, said plainly.
    static func comesBefore(_ left: String, _ right: String) -> Bool {
        let leftLevels = left.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let rightLevels = right.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return leftLevels.lexicographicallyPrecedes(rightLevels) { $0.lexicographicallyPrecedes($1) }
    }

    static let matches: [(pattern: String, topics: [String])] =
        Sample.every(["", "a", "b", "$x", "+", "#"], depth: 4).compactMap { TopicFilter($0) }.map { filter in
            (filter.pattern, topics.filter { filter.matches($0) })
        }
}

extension SubscriptionIndex {
    mutating func match(_ topic: String) -> Matches {
        var copy = topic
        return copy.withUTF8 { match(UnsafeRawBufferPointer($0)) }
    }
}

extension Matches {
    /// All that the core may see of it, as text.
    var summary: String {
        var lines = subscribers.map { subscriber in
            let first = Int(subscriber.firstIdentifier)
            let own = identifiers[first..<(first + Int(subscriber.identifierCount))]
            return "\(subscriber.subscriber): \(subscriber.maximumQoS.rawValue) \(subscriber.retainAsPublished)"
                + " \(subscriber.excludesPublisher) \(subscriber.maximumQoSForPublisher.rawValue)"
                + " \(subscriber.retainAsPublishedForPublisher) \(subscriber.identifierCountForPublisher) \(Array(own))"
        }
        lines.append("peers \(peers)")
        lines += groups.map { group in
            "\(group.name) \(group.pattern) \(group.members.map(\.subscriber)) \(group.peers.map(\.peer))"
        }
        return lines.joined(separator: "\n")
    }

    func entry(of subscriber: UInt32) -> MatchedSubscriber? { subscribers.first { $0.subscriber == subscriber } }

    func identifiers(of subscriber: UInt32) -> [UInt32] {
        guard let entry = entry(of: subscriber) else { return [] }
        return Array(identifiers[Int(entry.firstIdentifier)...].prefix(Int(entry.identifierCount)))
    }
}
