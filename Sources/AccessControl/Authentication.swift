package import MQTTModel

/// A client that wants to be let in, or to prove again who it is: what it has said, and what its transport knows.
package struct AuthenticationRequest: Sendable {
    package var clientIdentifier: String
    package var userName: String?
    package var password: [UInt8]?
    /// The Authentication Method of CONNECT; nil without an enhanced authentication (5.0 section 4.12).
    package var method: String?
    /// The Authentication Data of the packet that this answers.
    package var data: [UInt8]
    /// Where an enhanced authentication stands; nil at its beginning.
    package var exchange: (any AuthenticationExchange)?
    /// The client is connected, under this name, and proves who it is for another while (5.0 section 4.12.1).
    package var renewedUserName: String?
    /// Filled in by the runtime.
    package var transport: TransportIdentity?

    package init(
        clientIdentifier: String, userName: String? = nil, password: [UInt8]? = nil, method: String? = nil,
        data: [UInt8] = [], exchange: (any AuthenticationExchange)? = nil, renewedUserName: String? = nil,
        transport: TransportIdentity? = nil
    ) {
        self.clientIdentifier = clientIdentifier
        self.userName = userName
        self.password = password
        self.method = method
        self.data = data
        self.exchange = exchange
        self.renewedUserName = renewedUserName
        self.transport = transport
    }
}

extension AuthenticationRequest: CustomStringConvertible, CustomReflectable {
    /// Without anything that is secret.
    package var description: String {
        "AuthenticationRequest(client: \(clientIdentifier), user: \(userName ?? "none"), method: \(method ?? "none"))"
    }

    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

/// The state of an enhanced authentication between two AUTH packets. The core keeps it and understands nothing of it.
package protocol AuthenticationExchange: Sendable {}

/// The answer to a request.
package enum AuthenticationOutcome: Sendable {
    case allowed(AccessGrant)
    /// With the reason code for a 5.0 client: 0x86 or 0x87, or 0x8C for a method that is not supported. None tells what
    /// was wrong.
    case denied(ReasonCode)
    /// Send this in an AUTH packet and wait for the client's.
    case challenge([UInt8], any AuthenticationExchange)
}

/// What a client that was checked is given.
package struct AccessGrant: Sendable, Hashable {
    /// The name that was proven; nil for a client that is let in unchecked.
    package var userName: String?
    /// Groups besides those of the rules.
    package var groups: [String]
    /// Rules for this client alone, besides those of the rules.
    package var rules: [AccessRule]
    /// Everything is allowed.
    package var isUnrestricted: Bool
    /// How long it holds; then the client is disconnected, unless it has proven itself again. nil: until it goes.
    package var lifetime: Duration?
    /// What the rules may ask of the client's certificate.
    package var certificate: CertificateIdentity?
    /// The last Authentication Data of an enhanced authentication, for CONNACK or AUTH.
    package var data: [UInt8]
    /// What the name was proven by; nil when that cannot be taken away from a connected client.
    package var credential: Credential?

    package init(
        userName: String?, groups: [String] = [], rules: [AccessRule] = [], isUnrestricted: Bool = false,
        lifetime: Duration? = nil, certificate: CertificateIdentity? = nil, data: [UInt8] = [],
        credential: Credential? = nil
    ) {
        self.userName = userName
        self.groups = groups
        self.rules = rules
        self.isUnrestricted = isUnrestricted
        self.lifetime = lifetime
        self.certificate = certificate
        self.data = data
        self.credential = credential
    }
}

/// Stands for what a client has proven its name by, such as a line of a password file, so that it can be asked later
/// whether that is still good. Tells nothing of it.
package struct Credential: Sendable, Hashable {
    private let digest: Int

    /// - Parameter digest: of what it stands for, with a key of the process.
    package init(digest: Int) { self.digest = digest }
}

/// Who can say whether a client is who it says it is. It takes its time somewhere else: `authenticate` returns at once.
package protocol Authenticator: AnyObject, Sendable {
    /// Calls `answer` exactly once, from any thread.
    func authenticate(
        _ request: AuthenticationRequest, answer: @escaping @Sendable (AuthenticationOutcome) -> Void)

    /// Whether what was granted for this credential would be granted again. From any thread, at once.
    func stillHolds(_ credential: Credential, of userName: String) -> Bool
}

extension Authenticator {
    package func stillHolds(_ credential: Credential, of userName: String) -> Bool { true }
}

/// How a broker decides about its clients.
package struct AccessPolicy: Sendable {
    /// Every client is checked by an authenticator before its CONNECT is accepted.
    package var checksClients = false
    /// nil: whoever is let in may do everything.
    package var rules: AccessRuleSet?
    package var deniedPublish = DeniedPublish.drop

    package init(checksClients: Bool = false, rules: AccessRuleSet? = nil) {
        self.checksClients = checksClients
        self.rules = rules
    }
}

/// What a 3.x client gets that publishes what it may not; it cannot be told. A 5.0 client gets 0x87, or nothing at QoS 0.
package enum DeniedPublish: String, Sendable, CaseIterable {
    /// The message is dropped, and acknowledged, so that the client does not send it again and again.
    case drop
    /// The connection is closed.
    case close
}
