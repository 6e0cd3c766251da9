package import MQTTModel

/// Something an operator may want to read in a log. One event for one fact; nothing the broker decides depends on it.
package enum BrokerEvent: Sendable {
    case clientConnected(ConnectionID, clientIdentifier: String, version: ProtocolVersion, isSessionPresent: Bool)
    case connectionRefused(ConnectionID, clientIdentifier: String, ReasonCode)
    /// It has connected too often, and is refused for a time.
    case clientBanned(clientIdentifier: String)
    /// Its session has been taken over too often in a short time: its CONNECT waits.
    case connectDelayed(clientIdentifier: String, Duration)
    case clientDisconnected(clientIdentifier: String, ReasonCode)
    case connectionLost(clientIdentifier: String)
    case protocolViolated(clientIdentifier: String?, ProtocolViolation)
    /// A client was checked and not let in. `userName` is what it said, proven by nothing.
    case authenticationDenied(ConnectionID, clientIdentifier: String, userName: String?, ReasonCode)
    case publishDenied(clientIdentifier: String, topic: String)
    case subscriptionDenied(clientIdentifier: String, filter: String)
    case subscriptionRevoked(clientIdentifier: String, filter: String)
    case sessionTakenOver(clientIdentifier: String)
    case sessionExpired(clientIdentifier: String)
    case willPublished(clientIdentifier: String)
    /// A QoS 1 or 2 message was not queued for a session because a limit was reached. Again only after the queue has been
    /// empty; the counter has every message.
    case queueOverflowed(clientIdentifier: String)
}
