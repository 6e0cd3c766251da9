/// The patterns of a shard as a trie of their levels, which finds all that match a topic.
///
/// Nodes lie in one array and name each other by index. A child with a literal level is found in one hash table for all
/// nodes, by its parent and the level's bytes; the children `+` and `#` are fields of the parent. Each node holds its own
/// level, up to 16 bytes in itself, so that a step costs a probe of the table and a look at the node.
///
/// What a match costs: the walk goes level by level with the set of nodes that the levels so far lead to. A node has one
/// parent, so the walk comes to it once at most; and below a node it visits at most the `+` and the one literal child.
/// Hence at level d there are at most min(2^d, nodes of that depth) nodes in the set, and a topic costs at most one
/// visit for each node of the trie, however the filters are chosen; levels beyond the deepest filter cost nothing, for
/// the set is empty by then. Many visits need as many nodes, so `Limits.maximumSubscriptionsPerSession` bounds what one
/// client can make a publish cost. There is no recursion, so depth cannot exhaust the stack.
struct PatternTrie: Sendable {
    /// 40 bytes.
    private struct Node {
        /// The level; of a longer one, `low` is where it lies in `longLevels`.
        var level: ShortBytes
        var levelLength: UInt32
        var parent: UInt32
        /// Children, 0 for none.
        var plus: UInt32 = 0
        var multi: UInt32 = 0
        var literalChildren: UInt32 = 0
        /// What the owner keeps for the pattern that ends here, 0 for nothing.
        var entry: UInt32 = 0

        var isUnused: Bool { entry == 0 && literalChildren == 0 && plus == 0 && multi == 0 }
    }

    /// A level as a search needs it: loaded and hashed once, however many nodes it is looked for below.
    private struct Level {
        let bytes: UnsafeRawBufferPointer
        let words: ShortBytes
        let hash: UInt64

        @inline(__always)
        init(_ bytes: UnsafeRawBufferPointer, _ hasher: TopicHasher) {
            self.bytes = bytes
            if bytes.count <= ShortBytes.maximumCount {
                words = ShortBytes(bytes)
                hash = hasher.hash(words, count: bytes.count)
            } else {
                words = ShortBytes(low: 0, high: 0)
                hash = hasher.hash(bytes)
            }
        }

        var isPlus: Bool { bytes.count == 1 && bytes[0] == UInt8(ascii: "+") }
        var isMulti: Bool { bytes.count == 1 && bytes[0] == UInt8(ascii: "#") }

        @inline(__always)
        func hash(below parent: UInt32) -> UInt64 { PatternTrie.hash(hash, below: parent) }
    }

    static let root: UInt32 = 0

    private let hasher: TopicHasher
    private var nodes = [Node(level: ShortBytes(low: 0, high: 0), levelLength: 0, parent: 0)]
    private var freeNodes: [UInt32] = []
    private var children = IndexTable()
    private var longLevels: [[UInt8]] = []
    private var freeLongLevels: [UInt32] = []

    // Of a walk; kept for the next one, so that it allocates nothing.
    private var frontier: [UInt32] = []
    private var nextFrontier: [UInt32] = []
    /// The entries that the last walk found, in an order that depends on the patterns alone.
    private(set) var matchedEntries: [UInt32] = []

    init(hasher: TopicHasher) { self.hasher = hasher }

    /// No pattern, and nothing that one left behind.
    var isEmpty: Bool {
        freeNodes.count == nodes.count - 1 && children.count == 0 && freeLongLevels.count == longLevels.count
    }

    // MARK: Patterns

    func entry(at node: UInt32) -> UInt32 { nodes[Int(node)].entry }

    mutating func setEntry(_ entry: UInt32, at node: UInt32) { nodes[Int(node)].entry = entry }

    /// The node at which `pattern` ends, if there is one.
    func node(of pattern: UnsafeRawBufferPointer) -> UInt32? {
        var node = PatternTrie.root
        var start = 0
        while true {
            let end = pattern.endOfLevel(from: start)
            guard let child = child(of: node, Level(pattern.slice(start, end), hasher)) else { return nil }
            node = child
            if end == pattern.count { return node }
            start = end + 1
        }
    }

    /// The node at which `pattern` ends, made with those on the way as needed.
    mutating func makeNode(of pattern: UnsafeRawBufferPointer) -> UInt32 {
        var node = PatternTrie.root
        var start = 0
        while true {
            let end = pattern.endOfLevel(from: start)
            let level = Level(pattern.slice(start, end), hasher)
            node = child(of: node, level) ?? makeChild(of: node, level)
            if end == pattern.count { return node }
            start = end + 1
        }
    }

    /// Removes `node` and those above it that have neither an entry nor children.
    mutating func prune(from node: UInt32) {
        var node = node
        while node != PatternTrie.root, nodes[Int(node)].isUnused {
            let parent = nodes[Int(node)].parent
            removeChild(node, of: parent)
            node = parent
        }
    }

    @inline(__always)
    private func child(of node: UInt32, _ level: Level) -> UInt32? {
        let wildcard: UInt32
        if level.isPlus {
            wildcard = nodes[Int(node)].plus
        } else if level.isMulti {
            wildcard = nodes[Int(node)].multi
        } else {
            return literalChild(of: node, level)
        }
        return wildcard == 0 ? nil : wildcard
    }

    @inline(__always)
    private func literalChild(of parent: UInt32, _ level: Level) -> UInt32? {
        children.find(level.hash(below: parent)) { index in
            let node = nodes[Int(index)]
            guard node.parent == parent, Int(node.levelLength) == level.bytes.count else { return false }
            if level.bytes.count <= ShortBytes.maximumCount { return node.level == level.words }
            return longLevels[Int(node.level.low)].withUnsafeBytes { $0.equals(level.bytes) }
        }
    }

    private mutating func makeChild(of parent: UInt32, _ level: Level) -> UInt32 {
        var node = Node(level: level.words, levelLength: UInt32(level.bytes.count), parent: parent)
        if level.bytes.count > ShortBytes.maximumCount { node.level.low = UInt64(storeLongLevel(level.bytes)) }
        let index: UInt32
        if let free = freeNodes.popLast() {
            index = free
            nodes[Int(free)] = node
        } else {
            index = UInt32(nodes.count)
            nodes.appendGrowingByQuarter(node)
        }
        if level.isPlus {
            nodes[Int(parent)].plus = index
        } else if level.isMulti {
            nodes[Int(parent)].multi = index
        } else {
            nodes[Int(parent)].literalChildren += 1
            children.insert(level.hash(below: parent), index: index)
        }
        return index
    }

    private mutating func removeChild(_ index: UInt32, of parent: UInt32) {
        if nodes[Int(parent)].plus == index {
            nodes[Int(parent)].plus = 0
        } else if nodes[Int(parent)].multi == index {
            nodes[Int(parent)].multi = 0
        } else {
            children.remove(hash(of: index), index: index)
            nodes[Int(parent)].literalChildren -= 1
            if nodes[Int(index)].levelLength > ShortBytes.maximumCount {
                let position = UInt32(nodes[Int(index)].level.low)
                longLevels[Int(position)] = []
                freeLongLevels.append(position)
            }
        }
        freeNodes.append(index)
    }

    private func hash(of index: UInt32) -> UInt64 {
        let node = nodes[Int(index)]
        let hash =
            node.levelLength <= ShortBytes.maximumCount
            ? hasher.hash(node.level, count: Int(node.levelLength))
            : longLevels[Int(node.level.low)].withUnsafeBytes { hasher.hash($0) }
        return PatternTrie.hash(hash, below: node.parent)
    }

    /// What a child is found by: its level's hash and its parent.
    @inline(__always)
    private static func hash(_ level: UInt64, below parent: UInt32) -> UInt64 {
        TopicHasher.mix(level ^ UInt64(parent), 0x9E37_79B9_7F4A_7C15)
    }

    private mutating func storeLongLevel(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        if let free = freeLongLevels.popLast() {
            longLevels[Int(free)] = Array(bytes)
            return free
        }
        longLevels.append(Array(bytes))
        return UInt32(longLevels.count - 1)
    }

    // MARK: Matching

    /// Finds the entries of all patterns that match `topic` (section 4.7) and leaves them in `matchedEntries`.
    mutating func match(_ topic: UnsafeRawBufferPointer) {
        matchedEntries.removeAll(keepingCapacity: true)
        frontier.removeAll(keepingCapacity: true)
        frontier.append(PatternTrie.root)
        // A wildcard at the start does not match a topic that begins with $ [MQTT-4.7.2-1].
        var wildcardsMatch = topic.first != UInt8(ascii: "$")
        var start = 0
        while true {
            let end = topic.endOfLevel(from: start)
            advance(by: Level(topic.slice(start, end), hasher), wildcardsMatch: wildcardsMatch)
            if frontier.isEmpty { return }
            if end == topic.count { break }
            wildcardsMatch = true
            start = end &+ 1
        }
        for node in frontier {
            let entry = nodes[Int(node)].entry
            if entry != 0 { matchedEntries.append(entry) }
            // "#" matches the parent level too (section 4.7.1.2).
            appendMulti(below: node)
        }
    }

    @inline(__always)
    private mutating func advance(by level: Level, wildcardsMatch: Bool) {
        nextFrontier.removeAll(keepingCapacity: true)
        for node in frontier {
            if wildcardsMatch {
                appendMulti(below: node)
                let plus = nodes[Int(node)].plus
                if plus != 0 { nextFrontier.append(plus) }
            }
            if nodes[Int(node)].literalChildren != 0, let child = literalChild(of: node, level) {
                nextFrontier.append(child)
            }
        }
        swap(&frontier, &nextFrontier)
    }

    @inline(__always)
    private mutating func appendMulti(below node: UInt32) {
        let multi = nodes[Int(node)].multi
        if multi != 0 { matchedEntries.append(nodes[Int(multi)].entry) }
    }
}

extension Array {
    /// Appends; a full array grows by a quarter rather than to twice its size, for arrays that are most of an index's
    /// memory.
    mutating func appendGrowingByQuarter(_ element: Element) {
        if count == capacity { reserveCapacity(count + count / 4 + 8) }
        append(element)
    }
}
