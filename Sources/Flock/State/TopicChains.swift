import DequeModule

/// Leads from each topic to its entries of a log, the newest first: of each entry, how far before it the last one of the same
/// topic lies. Four bytes an entry.
struct TopicChains: Sendable {
    /// 0: there is none that is still there.
    private var distances: Deque<UInt32> = []
    /// Entries that are gone.
    private var forgotten: UInt64 = 0
    /// By topic: how many entries there had been with its last one; 0: it has none.
    private var last: [UInt64] = []

    /// The next entry is of this topic.
    mutating func append(_ topic: UInt32) {
        let topic = Int(topic)
        if topic >= last.count { last.append(contentsOf: repeatElement(0, count: topic + 1 - last.count)) }
        let place = forgotten + UInt64(distances.count) + 1
        distances.append(last[topic] > forgotten ? UInt32(exactly: place - last[topic]) ?? 0 : 0)
        last[topic] = place
    }

    mutating func removeFirst(_ count: Int) {
        distances.removeFirst(count)
        forgotten += UInt64(count)
    }

    /// The index of the topic's newest entry among those that are there.
    func newest(of topic: UInt32) -> Int? {
        guard Int(topic) < last.count, last[Int(topic)] > forgotten else { return nil }
        return Int(last[Int(topic)] - forgotten) - 1
    }

    /// The one of the same topic before it.
    func entry(before index: Int) -> Int? {
        let distance = Int(distances[index])
        return distance > 0 && distance <= index ? index - distance : nil
    }
}
