public import MQTTModel

extension MQTTClient {
    /// A message that arrived.
    public struct Message: Sendable, Hashable {
        public let topic: String
        public let payload: [UInt8]
        /// The QoS it was delivered with: at most that of the subscription.
        public let qos: QoS
        /// It was retained by the server when the subscription was made; or, for subscriptions with
        /// `retainAsPublished`, it was published so.
        public let isRetained: Bool
        /// The server says that it may have sent the message before.
        public let isDuplicate: Bool
        /// What the publisher set: content type, response topic, correlation data, user properties and so on, and the
        /// message expiry interval, in seconds, that is left. Empty in 3.x.
        public let properties: Properties
        /// The identifiers of the subscriptions that it matched, if they were given one.
        public let subscriptionIdentifiers: [UInt32]

        public init(
            topic: String, payload: [UInt8], qos: QoS, isRetained: Bool, isDuplicate: Bool, properties: Properties,
            subscriptionIdentifiers: [UInt32]
        ) {
            self.topic = topic
            self.payload = payload
            self.qos = qos
            self.isRetained = isRetained
            self.isDuplicate = isDuplicate
            self.properties = properties
            self.subscriptionIdentifiers = subscriptionIdentifiers
        }

        /// The payload as text; bytes that are not UTF-8 become replacement characters.
        public var text: String { String(decoding: payload, as: UTF8.self) }
    }

    /// The message that the server publishes when the connection ends without `disconnect` (section 3.1.2.5).
    public struct Will: Sendable, Hashable {
        public var topic: String
        public var payload: [UInt8]
        public var qos: QoS
        public var retain: Bool
        /// How long the server waits with it, for the client to come back. 5.0 only.
        public var delay: Duration
        /// What subscribers get with it: content type, message expiry interval and so on. 5.0 only.
        public var properties: Properties

        public init(
            topic: String, payload: [UInt8] = [], qos: QoS = .atMostOnce, retain: Bool = false,
            delay: Duration = .zero, properties: Properties = []
        ) {
            self.topic = topic
            self.payload = payload
            self.qos = qos
            self.retain = retain
            self.delay = delay
            self.properties = properties
        }

        /// A will of text.
        public init(topic: String, text: String, qos: QoS = .atMostOnce, retain: Bool = false) {
            self.init(topic: topic, payload: Array(text.utf8), qos: qos, retain: retain)
        }
    }

    /// What to subscribe to, and how.
    public struct Subscription: Sendable, Hashable, ExpressibleByStringLiteral {
        /// A topic filter, `$share/NAME/FILTER` for a shared subscription.
        public var filter: String
        public var options: SubscriptionOptions

        /// - Parameter qos: the highest QoS that messages are delivered with.
        public init(_ filter: String, qos: QoS = .exactlyOnce) {
            self.init(filter, options: SubscriptionOptions(maximumQoS: qos))
        }

        public init(_ filter: String, options: SubscriptionOptions) {
            self.filter = filter
            self.options = options
        }

        public init(stringLiteral filter: String) { self.init(filter) }
    }

    /// The server's answer to a publication.
    public struct PublishResult: Sendable, Hashable {
        /// `.success`, or `.noMatchingSubscribers` from a 5.0 server that tells; always a success. With QoS 0 nothing is
        /// known but that the message was sent.
        public let reasonCode: ReasonCode
        /// Reason string and user properties of the answer, if the server sent any.
        public let properties: Properties
    }

    /// The server's answer to `subscribe` or `unsubscribe`.
    public struct SubscribeResult: Sendable, Hashable {
        /// For each filter, in order: the QoS that was granted, or an error from 0x80. In 3.x an error is 0x80, and
        /// `unsubscribe` has no codes.
        public let reasonCodes: [ReasonCode]
        /// Reason string and user properties of the answer, if the server sent any.
        public let properties: Properties

        /// Whether the server did all it was asked for.
        public var isSuccess: Bool { !reasonCodes.contains { $0.isError } }
    }
}
