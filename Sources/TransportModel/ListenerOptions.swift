/// What a listener asks of the connections that it takes, beside its address. A fresh value holds the defaults.
package struct ListenerOptions: Sendable, Hashable {
    /// Whether a client has to show a certificate of its own over TLS.
    package enum ClientCertificate: String, Sendable, CaseIterable {
        case none, optional, required
    }

    package enum MinimumTLSVersion: String, Sendable, CaseIterable {
        case v1_2 = "1.2"
        case v1_3 = "1.3"
    }

    // MARK: TLS

    /// PEM file with the server's certificate, then those that lead to its authority.
    package var certificate: String?
    /// PEM file with the key of the certificate.
    package var key: String?
    /// PEM file with the authorities whose clients are known.
    package var clientAuthority: String?
    package var clientCertificate = ClientCertificate.none
    /// PEM or DER file with the revoked certificates of a client authority (CRL).
    package var revocationList: String?
    package var minimumTLSVersion = MinimumTLSVersion.v1_2
    /// OpenSSL's notation, for TLS 1.2; nil: the library's choice. Those of 1.3 are fixed.
    package var cipherSuites: String?

    // MARK: Bounds

    /// From accepting a connection to the end of what comes before MQTT: PROXY header, TLS handshake, WebSocket upgrade.
    package var handshakeTimeout = Duration.seconds(10)
    /// Connections that are in that part at the same time; a further one is closed.
    package var maximumHandshakes = 1_000
    /// Connections of this listener; a further one is closed. 0: no bound of its own.
    package var maximumConnections = 0
    /// Connections of one client address (IPv6: its /64); a further one is closed. 0: no bound.
    package var maximumConnectionsPerAddress = 0
    /// Connections a second that are taken, with a burst of as many; further ones are closed. 0: no bound.
    package var connectionRate = 0
    /// The same for each client address (IPv6: its /64).
    package var connectionRatePerAddress = 0
    /// Largest WebSocket frame from a client, bytes of payload.
    package var maximumFrameSize = 1 << 20

    // MARK: PROXY protocol

    /// Whose connections begin with a PROXY protocol header; others are closed. Empty: nobody's do.
    package var proxies: [AddressRange] = []

    package init() {}

    /// Whether something has to be counted for each connection.
    package var hasLimits: Bool { maximumConnections > 0 || connectionRate > 0 || hasAddressLimits }
    /// Whether something has to be counted for each address.
    package var hasAddressLimits: Bool { maximumConnectionsPerAddress > 0 || connectionRatePerAddress > 0 }
}
