import MQTTModel

/// The topic filters of one session, as they were sent. Order is deterministic though removal is by swap, so that what
/// is done for each of them is the same in every run. Compared by bytes, as the index compares them.
package struct FilterSet: Sendable {
    package private(set) var all: [String] = []
    /// Positions in `all`, only from `indexedCount` filters on: most sessions have a handful.
    private var positions: [ExactText: Int] = [:]
    private static let indexedCount = 16

    package init() {}

    package var count: Int { all.count }
    package var isEmpty: Bool { all.isEmpty }

    package func contains(_ filter: String) -> Bool { position(of: filter) != nil }

    /// - Returns: whether it is new.
    package mutating func insert(_ filter: String) -> Bool {
        guard position(of: filter) == nil else { return false }
        all.append(filter)
        if !positions.isEmpty {
            positions[ExactText(filter)] = all.count - 1
        } else if all.count >= FilterSet.indexedCount {
            for (index, filter) in all.enumerated() { positions[ExactText(filter)] = index }
        }
        return true
    }

    /// - Returns: whether it was there.
    package mutating func remove(_ filter: String) -> Bool {
        guard let index = position(of: filter) else { return false }
        all.swapAt(index, all.count - 1)
        all.removeLast()
        if !positions.isEmpty {
            positions[ExactText(filter)] = nil
            if index < all.count { positions[ExactText(all[index])] = index }
        }
        return true
    }

    private func position(of filter: String) -> Int? {
        let filter = ExactText(filter)
        return positions.isEmpty ? all.firstIndex { ExactText($0) == filter } : positions[filter]
    }
}
