package import MQTTModel

/// What has happened.
package enum BridgeInput: Sendable {
    case started
    /// What `open` asked for is there.
    case connectionOpened(BridgeSide)
    /// It could not be had; the text says why.
    case connectionFailed(BridgeSide, String)
    case packetReceived(Packet, BridgeSide)
    /// The bytes that arrived are no packet that a client accepts.
    case violationReceived(ProtocolViolation, BridgeSide)
    /// The connection ended from the other side or by a fault.
    case connectionClosed(BridgeSide)
    /// The driver does not read from this side, since the other takes nothing at the moment.
    case readingPaused(BridgeSide)
    case readingResumed(BridgeSide)
    case deadlineReached
    case stopRequested
}

/// What the driver has to do, in this order.
package enum BridgeAction: Sendable {
    /// Open a connection and report how that went. `attempt` counts those without success, so that the next of several
    /// addresses is tried.
    case open(BridgeSide, attempt: Int)
    /// Send CONNECT; with the bridge bit as `BridgeOptions.usesBridgeBit` describes it.
    case connect(Connect, BridgeSide, hasBridgeBit: Bool)
    case send(Packet, BridgeSide)
    /// Close the connection, or give up opening it, once what was sent before has left. Nothing of it is reported later.
    case close(BridgeSide)
    case report(BridgeEvent)
}

/// What an operator wants to know.
package enum BridgeEvent: Sendable, Hashable {
    /// Both brokers have accepted the bridge and answered its subscriptions. What each had kept for it is named by side.
    case connected(isLocalSessionPresent: Bool, isRemoteSessionPresent: Bool)
    /// The link is down because of this side; the next attempt comes after `delay`.
    case disconnected(BridgeSide, BridgeEnd, delay: Duration)
    /// A broker does not let the bridge have what this filter names.
    case subscriptionRefused(BridgeSide, filter: String, ReasonCode)
    /// A broker has refused a message for good; it is gone for the bridge.
    case messageRefused(BridgeSide, ReasonCode)
    /// A message that matches no pattern has come, from a subscription of an earlier configuration.
    case messageUnmatched(BridgeSide, topic: String)
    /// A message is larger than this side takes; it is gone for the bridge.
    case messageTooLarge(BridgeSide, topic: String, bytes: Int)
    /// A message that has been here before is not passed on again.
    case loopStopped(BridgeSide, topic: String)
    case stopped
}

/// Why a link went down.
package enum BridgeEnd: Sendable, Hashable {
    /// No connection could be made; the text says why.
    case unreachable(String)
    /// CONNECT was refused. `text` is the broker's own, if it said any.
    case refused(ReasonCode, text: String?)
    /// The broker ended the connection with DISCONNECT.
    case disconnected(ReasonCode, text: String?)
    /// The connection ended without a word.
    case lost
    /// No connection, or no answer to CONNECT, came in time.
    case connectTimedOut
    case pingTimedOut
    case violation(ProtocolViolation)
    /// The broker has no room for a message (0x97). It is not given up: it comes again with the next link.
    case full
    /// More QoS 1 and 2 messages are under way than `BridgeOptions.maximumPendingBytes` has room for.
    case tooMuchPending
    /// The broker speaks neither 5.0 nor takes the bridge bit, and this filter goes both ways: every message would come
    /// back.
    case wouldLoop(filter: String)
}
