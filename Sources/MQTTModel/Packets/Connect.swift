/// CONNECT: the client asks for a connection to a session (section 3.1).
package struct Connect: Sendable {
    package var version: ProtocolVersion
    package var clientIdentifier: String
    /// Clean Session in 3.x, Clean Start in 5.0.
    package var cleanStart: Bool
    /// Seconds; 0 turns the keep alive off.
    package var keepAlive: UInt16
    package var will: Will?
    package var userName: String?
    package var password: [UInt8]?
    package var properties: Properties

    package init(
        version: ProtocolVersion, clientIdentifier: String, cleanStart: Bool = true, keepAlive: UInt16 = 0,
        will: Will? = nil, userName: String? = nil, password: [UInt8]? = nil, properties: Properties = []
    ) {
        self.version = version
        self.clientIdentifier = clientIdentifier
        self.cleanStart = cleanStart
        self.keepAlive = keepAlive
        self.will = will
        self.userName = userName
        self.password = password
        self.properties = properties
    }
}

/// The message that the server publishes when the connection ends without a normal DISCONNECT (section 3.1.2.5).
/// Its QoS, RETAIN flag and expiry interval are those of `message`.
package struct Will: Sendable {
    package var message: ApplicationMessage
    /// Seconds between the end of the connection and the publication (5.0 section 3.1.3.2.2).
    package var delayInterval: UInt32

    package init(message: ApplicationMessage, delayInterval: UInt32 = 0) {
        self.message = message
        self.delayInterval = delayInterval
    }
}
