package import NATSProtocol
import NIOCore

/// What a subscription asks for, and who gets it.
struct Subscription {
    var filter: SubjectFilter
    var queueGroup: Subject?
    var handler: (NATSMessage) -> Void
}

/// Names a subscription of a connection.
package struct SubscriptionID: Hashable, Sendable {
    let number: UInt64
}

extension NATSConnection {
    /// Calls `handler` on the event loop with each message that matches, over one network connection after another. What
    /// is published while there is none is missed.
    ///
    /// - Parameter queueGroup: each message goes to one member of the group.
    /// - Returns: nil when there are `maximumSubscriptions`.
    package func subscribe(
        _ filter: SubjectFilter, queueGroup: Subject? = nil, handler: @escaping (NATSMessage) -> Void
    ) -> SubscriptionID? {
        eventLoop.assertInEventLoop()
        guard subscriptions.count < options.maximumSubscriptions else { return nil }
        let subscription = Subscription(filter: filter, queueGroup: queueGroup, handler: handler)
        let number = subscriptions.insert(subscription)
        if isConnected {
            appendSubscribe(number, subscription)
            scheduleFlush()
        }
        return SubscriptionID(number: number)
    }

    /// No message reaches the handler after this call.
    package func unsubscribe(_ id: SubscriptionID) {
        eventLoop.assertInEventLoop()
        guard subscriptions.remove(id.number) != nil, isConnected else { return }
        CommandEncoder.appendUnsubscribe(id.number, to: &outbound)
        scheduleFlush()
    }

    func resubscribe() {
        subscriptions.forEach { number, subscription in appendSubscribe(number, subscription) }
        scheduleFlush()
    }

    private func appendSubscribe(_ number: UInt64, _ subscription: Subscription) {
        CommandEncoder.appendSubscribe(
            subscription.filter, queueGroup: subscription.queueGroup, subscription: number, to: &outbound)
    }
}
