import MQTTModel

/// What the server has granted, so that it can be asked for again, in the order it was first asked for.
struct RememberedSubscriptions {
    private struct Entry {
        let order: UInt64
        var subscription: MQTTClient.Subscription
        var properties: Properties
    }

    /// Filters in one SUBSCRIBE.
    static let groupSize = 64

    private var entries: [String: Entry] = [:]
    private var lastOrder: UInt64 = 0

    mutating func insert(_ subscription: MQTTClient.Subscription, properties: Properties) {
        lastOrder += 1
        let order = entries[subscription.filter]?.order ?? lastOrder
        entries[subscription.filter] = Entry(order: order, subscription: subscription, properties: properties)
    }

    mutating func remove(_ filter: String) { entries[filter] = nil }

    /// The subscriptions as packets take them: up to `groupSize` neighbours with the same properties.
    func groups() -> [(subscriptions: [MQTTClient.Subscription], properties: Properties)] {
        var groups: [(subscriptions: [MQTTClient.Subscription], properties: Properties)] = []
        for entry in entries.values.sorted(by: { $0.order < $1.order }) {
            if let last = groups.last, last.properties == entry.properties,
                last.subscriptions.count < RememberedSubscriptions.groupSize
            {
                groups[groups.count - 1].subscriptions.append(entry.subscription)
            } else {
                groups.append(([entry.subscription], entry.properties))
            }
        }
        return groups
    }
}
