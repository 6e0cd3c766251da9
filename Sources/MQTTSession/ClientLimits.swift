package import MQTTModel

/// The bounds of a `ClientSession`, and how it behaves where the standard leaves a choice.
package struct ClientLimits: Sendable, Hashable {
    /// QoS 1 and 2 messages sent and not acknowledged; the server's Receive Maximum counts if lower.
    package var maximumInflightMessages: UInt16 = 64
    /// QoS 1 and 2 messages that wait for a connection or for room in the window; a further one is refused.
    package var maximumQueuedMessages = 1024
    /// Bytes of the messages that wait, likewise. One message is taken even if it is larger.
    package var maximumQueuedBytes = 1 << 26
    /// SUBSCRIBE and UNSUBSCRIBE packets without an answer.
    package var maximumPendingRequests = 256
    /// Topic aliases defined towards the server, if it allows as many. 0: none are used.
    package var maximumOutboundTopicAliases: UInt16 = 0
    /// Time from `connect` to the CONNACK.
    package var connectTimeout: Duration = .seconds(10)
    /// Time from PINGREQ to PINGRESP.
    package var pingTimeout: Duration = .seconds(10)
    /// Whether a message is acknowledged as soon as it is reported, or by `acknowledge`.
    package var acknowledgesAutomatically = true
    /// Whether QoS 1 messages that were sent and not acknowledged when the server lost the session are published anew,
    /// as at least once allows. If not they end as `sessionLost`, as QoS 2 messages always do.
    package var republishesAfterSessionLoss = true

    package init() {}
}

/// What the server of the present connection allows, from its CONNACK (5.0 section 3.2.2.3); the defaults are those of
/// a server that says nothing, and of 3.x.
package struct ServerLimits: Sendable, Hashable {
    package var receiveMaximum: UInt16 = .max
    package var maximumQoS: QoS = .exactlyOnce
    package var isRetainAvailable = true
    /// Bytes of a whole packet; nil without a limit.
    package var maximumPacketSize: UInt32?
    package var topicAliasMaximum: UInt16 = 0
    /// Seconds; what the client asked for unless the server says otherwise [MQTT-3.2.2-21].
    package var keepAlive: UInt16 = 0
    /// Seconds; nil in 3.x.
    package var sessionExpiryInterval: UInt32?
    package var isWildcardSubscriptionAvailable = true
    package var areSubscriptionIdentifiersAvailable = true
    package var isSharedSubscriptionAvailable = true

    package init() {}

    /// What a CONNACK to `connect` says.
    init(_ connAck: ConnAck, to connect: Connect) {
        keepAlive = connect.keepAlive
        guard connect.version.hasProperties else { return }
        let properties = connAck.properties
        receiveMaximum = properties.receiveMaximum ?? .max
        maximumQoS = properties.maximumQoS.flatMap(QoS.init(rawValue:)) ?? .exactlyOnce
        isRetainAvailable = properties.retainAvailable != 0
        maximumPacketSize = properties.maximumPacketSize
        topicAliasMaximum = properties.topicAliasMaximum ?? 0
        keepAlive = properties.serverKeepAlive ?? connect.keepAlive
        sessionExpiryInterval = properties.sessionExpiryInterval ?? connect.properties.sessionExpiryInterval ?? 0
        isWildcardSubscriptionAvailable = properties.wildcardSubscriptionAvailable != 0
        areSubscriptionIdentifiersAvailable = properties.subscriptionIdentifierAvailable != 0
        isSharedSubscriptionAvailable = properties.sharedSubscriptionAvailable != 0
    }
}
