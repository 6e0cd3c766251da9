import TransportModel

extension Setting {
    /// What a listener asks of its connections; each key is one of a section `listener.NAME`, too.
    static let listener: [Setting] = encryption + bounds + [proxies]

    private static let encryption: [Setting] = [
        optionalText(
            "listener-defaults.certificate", \.listenerDefaults.certificate, range: "a PEM file",
            "For tls and wss: the server's certificate, followed by those that lead to its authority."),
        optionalText(
            "listener-defaults.key", \.listenerDefaults.key, range: "a PEM file", "The certificate's private key."),
        optionalText(
            "listener-defaults.client-ca", \.listenerDefaults.clientAuthority, range: "a PEM file",
            "The authorities whose client certificates are good."),
        choice(
            "listener-defaults.client-certificate", \.listenerDefaults.clientCertificate,
            "Whether a client has to show a certificate that one of the authorities in client-ca has signed."),
        optionalText(
            "listener-defaults.crl", \.listenerDefaults.revocationList, range: "a PEM or DER file",
            """
            Revocation list of a client authority. It is looked up for the client's own certificate. Its signature is \
            not checked: it is trusted as client-ca is.
            """),
        choice("listener-defaults.minimum-tls", \.listenerDefaults.minimumTLSVersion, "The oldest TLS that is spoken."),
        optionalText(
            "listener-defaults.ciphers", \.listenerDefaults.cipherSuites, range: "a list in OpenSSL's notation",
            "Cipher suites for TLS 1.2. Those of 1.3 cannot be chosen."),
    ]

    private static let bounds: [Setting] = [
        duration(
            "listener-defaults.handshake-timeout", \.listenerDefaults.handshakeTimeout,
            in: .milliseconds(100)...(.seconds(600)),
            """
            Time from accepting a connection to the end of what comes before MQTT: PROXY header, TLS handshake, \
            WebSocket upgrade; then it is closed.
            """),
        integer(
            "listener-defaults.maximum-handshakes", \.listenerDefaults.maximumHandshakes, in: 1...1_000_000,
            "Connections of one listener that are in that part at the same time. A further one is closed."),
        integer(
            "listener-defaults.maximum-connections", \.listenerDefaults.maximumConnections, in: 0...10_000_000,
            "Connections of one listener. A further one is closed. 0: no bound but limits.maximum-connections."),
        integer(
            "listener-defaults.maximum-connections-per-address", \.listenerDefaults.maximumConnectionsPerAddress,
            in: 0...10_000_000,
            "Connections of one client address (IPv6: each /64). A further one is closed. 0: no bound."),
        integer(
            "listener-defaults.connection-rate", \.listenerDefaults.connectionRate, in: 0...1_000_000,
            "New connections a second of one listener, in a burst as many at once. Further ones are closed. 0: no bound."
        ),
        integer(
            "listener-defaults.connection-rate-per-address", \.listenerDefaults.connectionRatePerAddress,
            in: 0...1_000_000,
            "The same for each client address (IPv6: each /64). 0: no bound."),
        size(
            "listener-defaults.maximum-frame-size", \.listenerDefaults.maximumFrameSize, in: 128...268_435_460,
            "Largest WebSocket frame from a client. A larger one ends the connection with status 1009."),
    ]

    private static let proxies = Setting(
        "listener-defaults.proxy-from", .list, range: "ADDRESS[/BITS], unix, …",
        """
        Proxies whose connections begin with a PROXY protocol header (version 1 or 2), which tells the client's address. \
        Connections from elsewhere are closed. Empty: no connection begins with one.
        """
    ) { value, settings throws(Refusal) in
        guard case .list(let texts) = value else { throw Refusal(text: "has to be a list of addresses") }
        var ranges: [AddressRange] = []
        for text in texts {
            guard let range = AddressRange(parsing: text) else {
                throw Refusal(text: "\"\(text)\" is no address; write 10.0.0.0/8, ::1 or unix")
            }
            ranges.append(range)
        }
        settings.listenerDefaults.proxies = ranges
    } written: { settings in
        "[" + settings.listenerDefaults.proxies.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
    }
}
