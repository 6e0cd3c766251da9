/// The subscription identifiers of the messages that wait in a session: each set of them once, however many messages
/// carry it. A set has a number; 0 is the empty one.
struct IdentifierSets {
    private struct Entry {
        var identifiers: [UInt32]
        /// Messages that carry it.
        var useCount: UInt32
    }

    /// The set with number 1 lies at 0.
    private var entries: [Entry] = []
    private var freeNumbers: [UInt32] = []
    private var numbers: [[UInt32]: UInt32] = [:]
    /// The one that was used last: most messages carry the same.
    private var recent: UInt32 = 0

    /// Sets that are in use.
    var count: Int { numbers.count }

    subscript(number: UInt32) -> [UInt32] { number == 0 ? [] : entries[Int(number) - 1].identifiers }

    /// One more message carries `identifiers`.
    /// - Returns: the number of the set; nil when there are too many.
    mutating func use(_ identifiers: ArraySlice<UInt32>) -> UInt32? {
        if identifiers.isEmpty { return 0 }
        if recent > 0, entries[Int(recent) - 1].identifiers.elementsEqual(identifiers) {
            entries[Int(recent) - 1].useCount += 1
            return recent
        }
        let key = Array(identifiers)
        if let number = numbers[key] {
            entries[Int(number) - 1].useCount += 1
            recent = number
            return number
        }
        guard let number = insert(key) else { return nil }
        recent = number
        return number
    }

    private mutating func insert(_ identifiers: [UInt32]) -> UInt32? {
        let entry = Entry(identifiers: identifiers, useCount: 1)
        let number: UInt32
        if let free = freeNumbers.popLast() {
            number = free
            entries[Int(free) - 1] = entry
        } else {
            guard entries.count < Int(QueuedEntry.maximumIdentifierSet) else { return nil }
            entries.append(entry)
            number = UInt32(entries.count)
        }
        numbers[identifiers] = number
        return number
    }

    /// One message less carries the set.
    mutating func release(_ number: UInt32) {
        guard number > 0 else { return }
        let index = Int(number) - 1
        entries[index].useCount -= 1
        guard entries[index].useCount == 0 else { return }
        numbers[entries[index].identifiers] = nil
        entries[index].identifiers = []
        freeNumbers.append(number)
        if recent == number { recent = 0 }
    }
}
