import HeapModule
package import MQTTModel

/// What is going to happen in a simulation, by due time and, at one instant, in the order of insertion.
package struct Scheduler<Event>: ~Copyable {
    private struct Entry: Comparable {
        let due: Instant
        let order: UInt64
        let event: Event

        static func < (left: Entry, right: Entry) -> Bool {
            left.due == right.due ? left.order < right.order : left.due < right.due
        }

        static func == (left: Entry, right: Entry) -> Bool { left.order == right.order }
    }

    private var entries = Heap<Entry>()
    private var inserted: UInt64 = 0

    package init() {}

    package var nextDue: Instant? { entries.min?.due }

    package mutating func insert(_ event: Event, at due: Instant) {
        entries.insert(Entry(due: due, order: inserted, event: event))
        inserted += 1
    }

    package mutating func removeFirst() -> (due: Instant, event: Event)? {
        entries.popMin().map { ($0.due, $0.event) }
    }
}
