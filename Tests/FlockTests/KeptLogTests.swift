import Backbone
import MQTTModel
import Testing

@testable import Flock

@Suite struct KeptLogTests {
    private static let topics = ["a", "a/b", "a/b/c", "a/", "a0", "b/b", "$SYS/b", "", "é", "e\u{301}"]
    private static let patterns = ["a", "a/#", "+", "+/b", "#", "a/+", "a/+/c", "$SYS/#", "é", "nothing", "nothing/#"]

    /// What it says, beside a list that is searched from end to end.
    @Test func whatIsFoundIsWhatASearchThroughAllOfItFinds() throws {
        var random = SystemRandomNumberGenerator()
        var log = KeptLog()
        var all: [(position: LogSequence, topic: String)] = []
        for stream in 1...3000 {
            let position = LogSequence(stream: UInt64(stream), index: Int.random(in: 0..<9, using: &random))
            let topic = try #require(Self.topics.randomElement(using: &random))
            log.append(ApplicationMessage(topic: topic, payload: [1, 2], qos: .atLeastOnce), at: position)
            all.append((position, topic))
            guard stream % 60 == 0 else { continue }
            let first = LogSequence(stream: UInt64(Int.random(in: 0...stream, using: &random)), index: 0)
            if stream % 180 == 0 {
                log.forget(through: first)
                all.removeAll { $0.position <= first }
            }
            try compare(log, all, &random)
        }
        log.forget(through: .max)
        #expect(log.count == 0)
        #expect(log.entries(wanted: [ExactText("#"): 0]).isEmpty)
    }

    private func compare(
        _ log: KeptLog, _ all: [(position: LogSequence, topic: String)], _ random: inout SystemRandomNumberGenerator
    ) throws {
        #expect(log.count == all.count)
        var wanted: [ExactText: LogSequence] = [:]
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let pattern = try #require(Self.patterns.randomElement(using: &random))
            wanted[ExactText(pattern)] = all.randomElement(using: &random)?.position ?? 0
        }
        var places: Set<LogSequence> = [1, .firstCopy + 1]
        for one in all.shuffled(using: &random).prefix(2) { places.insert(one.position) }
        let expected = all.filter { one in
            places.contains(one.position)
                || wanted.contains { pattern, cursor in
                    one.position > cursor && TopicFilter(pattern.string)?.matches(one.topic) == true
                }
        }
        let found = log.entries(wanted: wanted, orAt: places)
        #expect(found.map(\.sequence) == expected.map(\.position))
        #expect(found.map { ExactText($0.message.topicString) } == expected.map { ExactText($0.topic) })
        #expect(found.allSatisfy { $0.message.byteCount == $0.message.topicLength + 2 })
    }

    /// Topics that are not used any more are let go of; the others keep their entries.
    @Test func aTopicOfEachMessageDoesNotStayBehind() {
        var log = KeptLog()
        for stream in 1...5000 as ClosedRange<UInt64> {
            log.append(
                ApplicationMessage(topic: "t/\(stream)", payload: [], qos: .atLeastOnce),
                at: LogSequence(stream: stream, index: 0))
            if stream > 10 { log.forget(through: LogSequence(stream: stream - 10, index: 0)) }
        }
        let found = log.entries(wanted: [ExactText("t/+"): 0])
        #expect(found.map(\.message.topicString) == (4991...5000).map { "t/\($0)" })
    }
}
