import DequeModule

/// Elements that are added at the end and removed at the beginning, in parts: a copy shares all of them, and what is added
/// copies the last one at most.
package struct PartedDeque<Element: Sendable>: Sendable {
    private static var partSize: Int { 4096 }

    private var parts: Deque<[Element]> = []
    /// Elements of the first part that have been removed.
    private var start = 0
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }
    package var first: Element? { isEmpty ? nil : self[0] }
    package var last: Element? { isEmpty ? nil : self[count - 1] }

    package subscript(index: Int) -> Element {
        let place = start + index
        return parts[place / Self.partSize][place % Self.partSize]
    }

    package mutating func append(_ element: Element) {
        if start + count == parts.count * Self.partSize { parts.append([]) }
        parts[parts.count - 1].append(element)
        count += 1
    }

    package mutating func removeFirst(_ removed: Int) {
        precondition(removed <= count, "no more is removed than there is")
        count -= removed
        start += removed
        if count == 0 {
            parts = []
            start = 0
        }
        let whole = start / Self.partSize
        parts.removeFirst(whole)
        start -= whole * Self.partSize
    }

    /// The first index whose element is as `isBehind` says, which holds of all that follow it; `count` if none is.
    package func firstIndex(where isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
