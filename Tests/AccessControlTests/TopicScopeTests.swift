import AccessControl
import MQTTModel
import Testing

/// Containment and overlap against brute force: every filter of up to three levels over a small alphabet, and every
/// topic that could tell two of them apart.
@Suite("Topic scopes")
struct TopicScopeTests {
    /// Levels of topics. `z` is in no filter: what a wildcard stands for is larger than what filters name.
    private static let topicLevels = ["a", "$d", "", "z"]
    private static let filterLevels = ["a", "$d", "", "+"]

    private static let filters: [String] = {
        var filters = ["#"]
        for levels in sequences(of: filterLevels, upTo: 3) {
            let filter = levels.joined(separator: "/")
            if TopicFilter(filter, allowsShared: false) != nil { filters.append(filter) }
            filters.append(filter + "/#")
        }
        return filters
    }()

    /// The empty topic among them: no message has it, and a rule about it errs to the side of no.
    private static let topics = sequences(of: topicLevels, upTo: 4).map { $0.joined(separator: "/") }

    private static func sequences(of alphabet: [String], upTo length: Int) -> [[String]] {
        var all: [[String]] = []
        var longest: [[String]] = [[]]
        for _ in 0..<length {
            longest = longest.flatMap { sequence in alphabet.map { sequence + [$0] } }
            all += longest
        }
        return all
    }

    /// The topics of each filter, as a set of bits.
    private static func bits(_ filter: String) -> [UInt64] {
        let filter = TopicFilter(filter, allowsShared: false)!
        var bits = [UInt64](repeating: 0, count: (topics.count + 63) / 64)
        for (index, topic) in topics.enumerated() where filter.matches(topic) {
            bits[index / 64] |= 1 << UInt64(index % 64)
        }
        return bits
    }

    @Test func matchesWhatTheFilterMatches() {
        for filter in Self.filters {
            let scope = TopicScope(pattern: filter)
            let reference = TopicFilter(filter, allowsShared: false)!
            for topic in Self.topics {
                var topic = topic
                let matches = topic.withUTF8 { scope.matches(UnsafeRawBufferPointer($0)) }
                #expect(matches == reference.matches(topic), "\(filter) and \(topic)")
            }
        }
    }

    @Test func containsAndOverlapsAsTheTopicsSay() {
        let all = Self.filters.map { (name: $0, scope: TopicScope(pattern: $0), bits: Self.bits($0)) }
        var failures: [String] = []
        for left in all {
            for right in all {
                var contains = true
                var overlaps = false
                for word in left.bits.indices {
                    if right.bits[word] & ~left.bits[word] != 0 { contains = false }
                    if right.bits[word] & left.bits[word] != 0 { overlaps = true }
                }
                if left.scope.contains(right.scope) != contains {
                    failures.append("\(left.name) contains \(right.name): \(contains)")
                }
                if left.scope.overlaps(right.scope) != overlaps {
                    failures.append("\(left.name) overlaps \(right.name): \(overlaps)")
                }
            }
        }
        #expect(failures.isEmpty, "\(failures.prefix(10))")
    }
}
