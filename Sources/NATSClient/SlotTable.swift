/// Elements under numbers that are not used again for long: half of a number is the place in an array, the other half
/// counts how often the place was used. So finding one costs an index and a comparison, and what comes late for an
/// element that is gone does not meet its successor.
struct SlotTable<Element> {
    private struct Slot {
        var generation: UInt32 = 0
        var element: Element?
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []

    var count: Int { slots.count - free.count }
    var isEmpty: Bool { count == 0 }

    mutating func insert(_ element: Element) -> UInt64 {
        let index: UInt32
        if let reused = free.popLast() {
            index = reused
        } else {
            index = UInt32(slots.count)
            slots.append(Slot())
        }
        slots[Int(index)].generation &+= 1
        slots[Int(index)].element = element
        return UInt64(slots[Int(index)].generation) << 32 | UInt64(index)
    }

    subscript(number: UInt64) -> Element? {
        get {
            guard let index = place(of: number) else { return nil }
            return slots[index].element
        }
        set {
            guard let index = place(of: number), slots[index].element != nil, let newValue else { return }
            slots[index].element = newValue
        }
    }

    mutating func remove(_ number: UInt64) -> Element? {
        guard let index = place(of: number), let element = slots[index].element else { return nil }
        slots[index].element = nil
        free.append(UInt32(index))
        return element
    }

    /// In the order of the places.
    func forEach(_ body: (UInt64, Element) -> Void) {
        for (index, slot) in slots.enumerated() {
            guard let element = slot.element else { continue }
            body(UInt64(slot.generation) << 32 | UInt64(index), element)
        }
    }

    private func place(of number: UInt64) -> Int? {
        let index = Int(number & 0xFFFF_FFFF)
        guard index < slots.count, slots[index].generation == UInt32(number >> 32) else { return nil }
        return index
    }
}
