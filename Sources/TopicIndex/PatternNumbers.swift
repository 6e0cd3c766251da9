/// Patterns with a number each, from 1: what belongs to a pattern is its owner's, who keeps it by the number. A value that
/// may be copied, unlike `SubscriptionIndex`, and without its cache.
package struct PatternNumbers: Sendable {
    private var trie: PatternTrie
    private var last: UInt32 = 0
    /// To be given again.
    private var free: [UInt32] = []

    package init(hashSeed: UInt64 = 0) { trie = PatternTrie(hasher: TopicHasher(seed: hashSeed)) }

    package var isEmpty: Bool { trie.isEmpty }

    /// The pattern's number; nil when it has none.
    package func number(of pattern: String) -> UInt32? {
        withBytes(of: pattern) { pattern in
            guard let node = trie.node(of: pattern), trie.entry(at: node) != 0 else { return nil }
            return trie.entry(at: node)
        }
    }

    /// The pattern's number, which it gets if it has none. A number is at most one more than there were patterns before.
    package mutating func insert(_ pattern: String) -> UInt32 {
        withBytes(of: pattern) { pattern in
            let node = trie.makeNode(of: pattern)
            let existing = trie.entry(at: node)
            guard existing == 0 else { return existing }
            let number = free.popLast() ?? last + 1
            last = max(last, number)
            trie.setEntry(number, at: node)
            return number
        }
    }

    package mutating func remove(_ pattern: String) {
        withBytes(of: pattern) { pattern in
            guard let node = trie.node(of: pattern), trie.entry(at: node) != 0 else { return }
            free.append(trie.entry(at: node))
            trie.setEntry(0, at: node)
            trie.prune(from: node)
        }
    }

    /// The numbers of the patterns that match a topic, in an order that depends on the patterns alone.
    package mutating func match(_ topic: UnsafeRawBufferPointer) -> [UInt32] {
        trie.match(topic)
        return trie.matchedEntries
    }
}
