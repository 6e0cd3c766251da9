import MQTTModel

/// One ordinary subscription in the list of its pattern, in 8 bytes: a subscription identifier has 28 bits (5.0 section
/// 1.5.5), the four above hold the options that delivery needs. Retain Handling is the session's affair.
struct Subscription: Equatable {
    let subscriber: UInt32
    private let packed: UInt32

    static let identifierMask: UInt32 = 0x0FFF_FFFF

    init(subscriber: UInt32, options: SubscriptionOptions, identifier: UInt32) {
        assert(identifier <= Subscription.identifierMask, "a subscription identifier is at most 268,435,455")
        self.subscriber = subscriber
        self.packed =
            identifier & Subscription.identifierMask | UInt32(options.maximumQoS.rawValue) << 28
            | (options.noLocal ? 1 << 30 : 0) | (options.retainAsPublished ? 1 << 31 : 0)
    }

    /// Stands where there is no subscription.
    static let none = Subscription(subscriber: 0, options: SubscriptionOptions(), identifier: 0)

    /// 0 when the subscription has none.
    var identifier: UInt32 { packed & Subscription.identifierMask }
    var maximumQoS: QoS { QoS(rawValue: UInt8(truncatingIfNeeded: packed >> 28) & 3) ?? .exactlyOnce }
    var noLocal: Bool { packed & 1 << 30 != 0 }
    var retainAsPublished: Bool { packed & 1 << 31 != 0 }
}

/// What `SubscriptionIndex.subscribe` found.
package struct SubscribeOutcome: Equatable, Sendable {
    /// Whether the subscriber had no subscription to the pattern; else its options and identifier were replaced
    /// [MQTT-3.8.4-3].
    package let isNew: Bool
    /// Whether no local subscriber had the pattern before: other shards need a route.
    package let isFirstForPattern: Bool
}

/// What `SubscriptionIndex.unsubscribe` found.
package struct UnsubscribeOutcome: Equatable, Sendable {
    package let existed: Bool
    /// Whether no local subscriber has the pattern any more: other shards drop their route.
    package let wasLastForPattern: Bool
}
