package import MQTTModel

/// A key that goes to the same part of a table on every node.
package protocol PartedKey: Hashable, Sendable {
    var stableHash: UInt64 { get }
}

extension UInt64: PartedKey {
    /// Numbers that follow one another go to all parts.
    package var stableHash: UInt64 { (self &* 0x9E37_79B9_7F4A_7C15) >> 32 }
}

extension ExactText: PartedKey {
    package var stableHash: UInt64 { StableHash.hash(string) }
}

/// A dictionary in parts. A copy shares all of them, and a change copies the one that it is in: so a copy of a million
/// values costs nothing at any one moment, while whoever has it takes its time.
package struct PartedTable<Key: PartedKey, Value: Sendable>: Sendable {
    package static var partCount: Int { 1024 }

    package private(set) var parts: [[Key: Value]]
    package private(set) var count = 0

    package init() { parts = Array(repeating: [:], count: Self.partCount) }

    private static func index(of key: Key) -> Int {
        let hash = key.stableHash
        return Int(truncatingIfNeeded: hash ^ hash >> 32) & (partCount - 1)
    }

    package subscript(key: Key) -> Value? {
        get { parts[Self.index(of: key)][key] }
        _modify {
            let index = Self.index(of: key)
            let before = parts[index].count
            defer { count += parts[index].count - before }
            yield &parts[index][key]
        }
    }

    package subscript(key: Key, default value: @autoclosure () -> Value) -> Value {
        get { self[key] ?? value() }
        _modify {
            let index = Self.index(of: key)
            let before = parts[index].count
            defer { count += parts[index].count - before }
            yield &parts[index][key, default: value()]
        }
    }

    package var isEmpty: Bool { count == 0 }

    /// In no order.
    package var keys: [Key] { parts.flatMap(\.keys) }
    /// In no order.
    package var values: [Value] { parts.flatMap(\.values) }

    /// In no order.
    package func keys(where isWanted: (Key, Value) -> Bool) -> [Key] {
        var found: [Key] = []
        // Order-free: the caller has them in no order.
        for part in parts { for (key, value) in part where isWanted(key, value) { found.append(key) } }
        return found
    }

    package mutating func removeAll(where isUnwanted: (Key, Value) -> Bool) {
        for index in parts.indices { removeAll(inPart: index, where: isUnwanted) }
    }

    package mutating func removeAll(inPart index: Int, where isUnwanted: (Key, Value) -> Bool) {
        // Order-free: each by itself.
        for (key, value) in parts[index] where isUnwanted(key, value) {
            parts[index][key] = nil
            count -= 1
        }
    }
}

extension PartedTable where Key: Comparable {
    package var leastKey: Key? {
        var least: Key?
        // Order-free: the least of all.
        for part in parts { for key in part.keys where least.map({ key < $0 }) ?? true { least = key } }
        return least
    }
}
