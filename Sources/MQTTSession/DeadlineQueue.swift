import HeapModule
package import MQTTModel

/// Deadlines by key, earliest first; among equals, in the order they were set.
///
/// Lazy: the owner of a key knows its real deadline. When an entry falls due the owner looks: due, it acts; moved back,
/// it sets the key again; gone, it does nothing. So a keep alive that every packet moves costs one entry and no work a
/// packet. Entries whose owner is gone are told with `abandon`, and swept out when they outnumber the others.
package struct DeadlineQueue<Key: Sendable>: Sendable {
    private struct Entry: Comparable, Sendable {
        let deadline: Instant
        let order: UInt64
        let key: Key

        static func < (left: Entry, right: Entry) -> Bool {
            left.deadline == right.deadline ? left.order < right.order : left.deadline < right.deadline
        }
        static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
    }

    private var heap = Heap<Entry>()
    private var nextOrder: UInt64 = 0
    private var abandonedCount = 0

    package init() {}

    package var count: Int { heap.count }
    /// The earliest deadline; nil when there is none.
    package var earliest: Instant? { heap.min?.deadline }

    package mutating func set(_ key: Key, at deadline: Instant) {
        heap.insert(Entry(deadline: deadline, order: nextOrder, key: key))
        nextOrder += 1
    }

    /// The next key whose deadline is not after `now`.
    package mutating func popDue(at now: Instant) -> Key? {
        guard let first = heap.min, first.deadline <= now else { return nil }
        return heap.removeMin().key
    }

    /// An entry has lost its owner. `isLive` says of a key whether its owner is still there; called only for a sweep.
    package mutating func abandon(isLive: (Key) -> Bool) {
        abandonedCount += 1
        guard abandonedCount > 1024, abandonedCount > heap.count / 2 else { return }
        heap = Heap(heap.unordered.filter { isLive($0.key) })
        abandonedCount = 0
    }
}
