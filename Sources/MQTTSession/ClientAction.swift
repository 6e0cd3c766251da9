package import MQTTModel

/// What the driver of a `ClientSession` has to do, in this order.
package enum ClientAction: Sendable {
    case send(Packet)
    /// Close the network connection once what was sent before has left. The session has already let go of it: whatever
    /// is reported of it later is ignored.
    case close
    /// Something the application may want to know.
    case report(ClientEvent)
}

/// What a `ClientSession` tells its application.
package enum ClientEvent: Sendable {
    /// The server accepted the CONNECT. Whatever is sent again of a resumed session comes after it.
    case connected(ConnAck, ServerLimits)
    /// The server refused the CONNECT; the connection is closed.
    case connectionRefused(ConnAck)
    /// The connection that `connect` asked for is over, whether it was ever accepted or not.
    case connectionEnded(ClientConnectionEnd)
    /// The server did not keep the session, or was asked for a new one: what the client knew of it is gone, its
    /// subscriptions too.
    case sessionDiscarded
    /// A message arrived. The token is nil when there is nothing to acknowledge: QoS 0, or the session acknowledges by
    /// itself; else `acknowledge` has to be called with it, in the order of the messages [MQTT-4.6.0-2, MQTT-4.6.0-3].
    case messageReceived(Publish, ReceiptToken?)
    /// The end of a publication with QoS > 0, once for each token that `publish` returned.
    case published(PublishToken, PublishOutcome)
    case subscribed(RequestToken, SubAck)
    case unsubscribed(RequestToken, UnsubAck)
    /// The connection ended before the answer to a SUBSCRIBE or UNSUBSCRIBE came. Whether the server acted is not known.
    case requestUnanswered(RequestToken)
    /// A step of an enhanced authentication; answer with `authenticate` (5.0 section 4.12).
    case authenticationReceived(Auth)
}

/// Why a connection ended.
package enum ClientConnectionEnd: Sendable, Hashable {
    /// `disconnect` was called.
    case requested
    /// The CONNECT was refused.
    case refused(ReasonCode)
    /// The network connection ended from the other side or by a fault.
    case lost
    /// The server sent DISCONNECT (5.0 only).
    case disconnectedByServer(Disconnect)
    /// The server broke the standard; it was told so if it could be, and the connection closed [MQTT-4.13.1-1].
    case violation(ProtocolViolation)
    /// No CONNACK came in time.
    case connectTimedOut
    /// No PINGRESP came in time (section 3.1.2.10).
    case pingTimedOut
}

/// Names a publication with QoS > 0 for as long as the session value lives.
package struct PublishToken: Sendable, Hashable {
    package let number: UInt64
}

/// Names a SUBSCRIBE or UNSUBSCRIBE for as long as the session value lives.
package struct RequestToken: Sendable, Hashable {
    package let number: UInt64
}

/// Names a received message that waits for `acknowledge`.
package struct ReceiptToken: Sendable, Hashable {
    package let packetIdentifier: PacketIdentifier
    package let qos: QoS
    /// The connection (QoS 1) or the session (QoS 2) it belongs to; for an older one there is nothing left to do.
    let epoch: UInt64
}

/// How a publication with QoS > 0 ended.
package enum PublishOutcome: Sendable, Hashable {
    /// The server answered: with PUBACK, with PUBCOMP after the reason code of its PUBREC, or with a PUBREC that refused
    /// the message. A reason code from 0x80 is a refusal.
    case acknowledged(ReasonCode, Properties)
    /// It could not be sent once the connection was there.
    case refused(PublishRefusal)
    /// It was sent, and the server lost the session before it answered: it may have been published or not.
    case sessionLost
}

/// Why `publish` did not take a message.
package enum PublishRefusal: Error, Sendable, Hashable {
    /// QoS 0 is not kept for a later connection.
    case notConnected
    /// `ClientLimits.maximumQueuedMessages` or `maximumQueuedBytes` is reached.
    case queueFull
    /// The PUBLISH would be larger than the server's Maximum Packet Size [MQTT-3.2.2-15].
    case packetTooLarge
    /// Above the server's Maximum QoS [MQTT-3.2.2-11].
    case qosNotSupported
    /// RETAIN towards a server without retained messages [MQTT-3.2.2-14].
    case retainNotSupported
}

/// Why `subscribe` or `unsubscribe` did nothing.
package enum RequestRefusal: Error, Sendable, Hashable {
    case notConnected
    /// `ClientLimits.maximumPendingRequests` is reached.
    case tooManyRequests
}
