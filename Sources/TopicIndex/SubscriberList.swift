/// The local subscribers of one pattern, ascending. The usual list has one, which needs no memory of its own.
struct SubscriberList {
    /// Holds unless `count` is 1.
    private var chunks = SortedChunks<Subscription>()
    /// Holds when `count` is 1.
    private var sole = Subscription.none
    private(set) var count = 0

    enum SetOutcome { case added, replaced, unchanged }

    mutating func set(_ subscription: Subscription) -> SetOutcome {
        if count == 0 {
            sole = subscription
            count = 1
            return .added
        }
        if count == 1 {
            if sole.subscriber == subscription.subscriber {
                guard sole != subscription else { return .unchanged }
                sole = subscription
                return .replaced
            }
            chunks.insert(sole, at: chunks.start)
        }
        let position = chunks.partitionPoint { $0.subscriber < subscription.subscriber }
        if let found = chunks[position], found.subscriber == subscription.subscriber {
            guard found != subscription else { return .unchanged }
            chunks.replace(at: position, with: subscription)
            return .replaced
        }
        chunks.insert(subscription, at: position)
        count += 1
        return .added
    }

    /// - Returns: whether it was in the list.
    mutating func remove(_ subscriber: UInt32) -> Bool {
        if count <= 1 {
            guard count == 1, sole.subscriber == subscriber else { return false }
            count = 0
            return true
        }
        let position = chunks.partitionPoint { $0.subscriber < subscriber }
        guard chunks[position]?.subscriber == subscriber else { return false }
        chunks.remove(at: position)
        count -= 1
        if count == 1, let last = chunks[chunks.start] {
            sole = last
            chunks = SortedChunks()
        }
        return true
    }

    func subscription(of subscriber: UInt32) -> Subscription? {
        if count <= 1 { return count == 1 && sole.subscriber == subscriber ? sole : nil }
        let found = chunks[chunks.partitionPoint { $0.subscriber < subscriber }]
        return found?.subscriber == subscriber ? found : nil
    }

    @inline(__always)
    func forEach(_ body: (Subscription) -> Void) {
        if count == 1 { return body(sole) }
        for chunk in chunks.chunks {
            for subscription in chunk { body(subscription) }
        }
    }
}
