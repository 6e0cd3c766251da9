import DequeModule

/// Calls that wait for something, in the order they came. Confined to the engine.
struct Waiters<Value: Sendable> {
    private var order: Deque<UInt64> = []
    private var continuations: [UInt64: CheckedContinuation<Value, any Error>] = [:]

    var isEmpty: Bool { continuations.isEmpty }

    func contains(_ key: UInt64) -> Bool { continuations[key] != nil }

    mutating func add(_ key: UInt64, _ continuation: CheckedContinuation<Value, any Error>) {
        order.append(key)
        continuations[key] = continuation
    }

    /// - Returns: the waiter with this key, which is no longer in the list; nil when it was cancelled.
    mutating func take(_ key: UInt64) -> CheckedContinuation<Value, any Error>? {
        guard let continuation = continuations.removeValue(forKey: key) else { return nil }
        // Keys of those that are gone are left behind until they are at the front, or outnumber the others.
        if order.count > 2 * continuations.count + 16 {
            order.removeAll { continuations[$0] == nil }
        }
        return continuation
    }

    /// - Returns: the first waiter, which is no longer in the list.
    mutating func takeFirst() -> CheckedContinuation<Value, any Error>? {
        while let key = order.popFirst() {
            if let continuation = continuations.removeValue(forKey: key) { return continuation }
        }
        return nil
    }

    mutating func takeAll() -> [CheckedContinuation<Value, any Error>] {
        let all = order.compactMap { continuations[$0] }
        order = []
        continuations = [:]
        return all
    }
}
