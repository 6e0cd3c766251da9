package import NATSProtocol
package import NIOSSL

/// Where to connect, as whom, and the client's bounds.
package struct NATSOptions: Sendable {
    package var servers: [ServerAddress]
    /// Otherwise every node would begin with the first one.
    package var isServerOrderRandom = true
    /// Shown by the server's monitoring.
    package var name = "dunlin"
    package var credentials = Credentials.none
    package var tlsMode = ConnectionMachine.TLSMode.asServerRequires
    /// Trust roots, and the client's own certificate where servers ask for one.
    package var tlsConfiguration = TLSConfiguration.makeClientConfiguration()
    package var reconnect = ReconnectPolicy()
    package var parserLimits = CommandParser.Limits()
    /// Bytes that were published and have not left. Beyond it a publication is answered with `bufferFull`.
    package var maximumPendingBytes = 64 << 20
    /// Requests without an answer. Beyond it a request is answered with `tooManyRequests`.
    package var maximumRequests = 1 << 17
    package var maximumSubscriptions = 1 << 20
    /// Whether the server sends the client's own publications to its subscriptions.
    package var echo = true

    package init(servers: [ServerAddress]) { self.servers = servers }
}
