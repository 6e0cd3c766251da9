package import MQTTModel

/// What clients are told that are to go to another server (5.0 section 4.13).
package struct Redirection: Sendable, Hashable {
    /// Where 5.0 clients are sent; nil when they find it themselves.
    package var serverReference: String?
    /// They are to remember it: 0x9D (Server moved) instead of 0x9C (Use another server).
    package var isPermanent = false

    package init(serverReference: String? = nil, isPermanent: Bool = false) {
        self.serverReference = serverReference
        self.isPermanent = isPermanent
    }

    /// For DISCONNECT. Without a server to go to: 0x8B (Server shutting down), after which clients come back by the
    /// address that they know.
    package var disconnectReason: ReasonCode { reason ?? .serverShuttingDown }

    /// For CONNACK, which has no 0x8B: 0x88 (Server unavailable) (table 3-1).
    package var connectReason: ReasonCode { reason ?? .serverUnavailable }

    private var reason: ReasonCode? {
        if serverReference == nil { return nil }
        return isPermanent ? .serverMoved : .useAnotherServer
    }
}
