/// What to do with retained messages when a subscription is made (5.0 section 3.8.3.1).
public enum RetainHandling: UInt8, Sendable, Hashable {
    case sendAtSubscribe = 0
    case sendIfNewSubscription = 1
    case doNotSend = 2
}

/// The options of one subscription (5.0 section 3.8.3.1). A 3.x client sets only the QoS.
public struct SubscriptionOptions: Sendable, Hashable {
    public var maximumQoS: QoS
    /// Messages are not sent to the connection whose client published them [MQTT-3.8.3-3].
    public var noLocal: Bool
    /// The RETAIN flag is passed on as the publisher set it [MQTT-3.3.1-12, MQTT-3.3.1-13].
    public var retainAsPublished: Bool
    public var retainHandling: RetainHandling

    public init(
        maximumQoS: QoS = .atMostOnce, noLocal: Bool = false, retainAsPublished: Bool = false,
        retainHandling: RetainHandling = .sendAtSubscribe
    ) {
        self.maximumQoS = maximumQoS
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
        self.retainHandling = retainHandling
    }

    /// The byte as SUBSCRIBE carries it; nil when a reserved bit is set or a value is out of range [MQTT-3.8.3-5].
    public init?(rawValue: UInt8) {
        guard rawValue & 0xC0 == 0, let qos = QoS(rawValue: rawValue & 0x03),
            let handling = RetainHandling(rawValue: (rawValue >> 4) & 0x03)
        else { return nil }
        self.init(
            maximumQoS: qos, noLocal: rawValue & 0x04 != 0, retainAsPublished: rawValue & 0x08 != 0,
            retainHandling: handling)
    }

    public var rawValue: UInt8 {
        maximumQoS.rawValue | (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling.rawValue << 4)
    }
}
