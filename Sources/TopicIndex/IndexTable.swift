/// A hash table of indices into an array that the owner keeps: 8 bytes a slot, no keys of its own. The owner says
/// whether the element at an index is the one looked for.
///
/// Open addressing with linear probing; removal shifts back what follows, so there are no tombstones and churn does not
/// slow it down. Index 0 is not stored: it means an empty slot.
struct IndexTable: Sendable {
    private struct Slot {
        /// The low half of the element's hash: the slot it would like best, and a filter before the owner is asked.
        var hash: UInt32
        var index: UInt32

        static let empty = Slot(hash: 0, index: 0)
    }

    private var slots: [Slot] = []
    private(set) var count = 0

    /// The first element with this hash that the owner recognises.
    @inline(__always)
    func find(_ hash: UInt64, _ isWanted: (UInt32) -> Bool) -> UInt32? {
        guard !slots.isEmpty else { return nil }
        let short = UInt32(truncatingIfNeeded: hash)
        let mask = slots.count &- 1
        var position = Int(short) & mask
        while true {
            let slot = slots[position]
            if slot.index == 0 { return nil }
            if slot.hash == short, isWanted(slot.index) { return slot.index }
            position = (position &+ 1) & mask
        }
    }

    /// Adds an index that is not in the table.
    mutating func insert(_ hash: UInt64, index: UInt32) {
        precondition(index != 0, "index 0 means an empty slot")
        // Full at 13/16: a miss then probes two cache lines on average, and a slot costs 10 to 20 bytes an element.
        if (count + 1) * 16 > slots.count * 13 { grow() }
        place(Slot(hash: UInt32(truncatingIfNeeded: hash), index: index))
        count += 1
    }

    /// Removes an index that is in the table.
    mutating func remove(_ hash: UInt64, index: UInt32) {
        let mask = slots.count &- 1
        guard mask > 0 else { return }
        var hole = Int(UInt32(truncatingIfNeeded: hash)) & mask
        while slots[hole].index != index {
            if slots[hole].index == 0 { return }
            hole = (hole &+ 1) & mask
        }
        var position = (hole &+ 1) & mask
        while slots[position].index != 0 {
            // An element may move into the hole unless its own place lies behind it.
            let home = Int(slots[position].hash) & mask
            if (position &- home) & mask >= (position &- hole) & mask {
                slots[hole] = slots[position]
                hole = position
            }
            position = (position &+ 1) & mask
        }
        slots[hole] = .empty
        count -= 1
    }

    private mutating func place(_ slot: Slot) {
        let mask = slots.count &- 1
        var position = Int(slot.hash) & mask
        while slots[position].index != 0 { position = (position &+ 1) & mask }
        slots[position] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: .empty, count: max(8, old.count * 2))
        for slot in old where slot.index != 0 { place(slot) }
    }
}
