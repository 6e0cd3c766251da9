/// Who a client is, as far as the rules ask.
package struct AccessIdentity: Sendable, Hashable {
    package var clientIdentifier: String
    /// The name that was proven; nil for a client that nobody has checked. What a client merely says of itself is not
    /// here.
    package var userName: String?
    /// Groups that whoever checked the client says it belongs to, besides those of the rules.
    package var groups: [String]
    /// What the client's certificate says, if it showed one that the listener trusts.
    package var certificate: CertificateIdentity?

    package init(
        clientIdentifier: String, userName: String? = nil, groups: [String] = [],
        certificate: CertificateIdentity? = nil
    ) {
        self.clientIdentifier = clientIdentifier
        self.userName = userName
        self.groups = groups
        self.certificate = certificate
    }
}

/// What a client certificate says about its holder: the subject's common name and the subject alternative names. Filled
/// in by a transport only after it has verified the certificate.
package struct CertificateIdentity: Sendable, Hashable {
    package var commonName: String?
    package var dnsNames: [String]
    package var emailAddresses: [String]
    package var uris: [String]

    package init(
        commonName: String? = nil, dnsNames: [String] = [], emailAddresses: [String] = [], uris: [String] = []
    ) {
        self.commonName = commonName
        self.dnsNames = dnsNames
        self.emailAddresses = emailAddresses
        self.uris = uris
    }

    /// A field of the certificate that can be a user name or stand in a rule; of several alternative names the first
    /// counts.
    package enum Field: String, Sendable, CaseIterable {
        case commonName = "common-name"
        case dns
        case email
        case uri
    }

    package subscript(field: Field) -> String? {
        switch field {
        case .commonName: commonName
        case .dns: dnsNames.first
        case .email: emailAddresses.first
        case .uri: uris.first
        }
    }
}

/// What a transport knows of the other side before it has said a word.
package struct TransportIdentity: Sendable, Hashable {
    /// The address that the connection came from, without port; behind a proxy the one that the proxy tells.
    package var address: String?
    package var certificate: CertificateIdentity?

    package init(address: String? = nil, certificate: CertificateIdentity? = nil) {
        self.address = address
        self.certificate = certificate
    }
}
