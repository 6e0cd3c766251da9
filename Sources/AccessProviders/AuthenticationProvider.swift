package import AccessControl
package import MQTTModel

/// One way to find out who a client is. Several are asked in turn; the first that does not ignore the client decides.
package protocol AuthenticationProvider: Sendable {
    /// For logs, and for the order in the configuration.
    var name: String { get }

    /// Takes the time it needs, and does no lengthy computing on the caller's thread.
    func authenticate(_ request: AuthenticationRequest) async -> ProviderAnswer

    /// Whether the credential is one of this provider's, and still good. At once.
    func stillHolds(_ credential: Credential, of userName: String) -> Bool
}

extension AuthenticationProvider {
    package func stillHolds(_ credential: Credential, of userName: String) -> Bool { false }
}

package enum ProviderAnswer: Sendable {
    case allow(AccessGrant)
    case deny(ReasonCode)
    /// Not a client that this provider knows anything about: the next one is asked.
    case ignore
    /// An enhanced authentication goes on.
    case challenge([UInt8], any AuthenticationExchange)
}
