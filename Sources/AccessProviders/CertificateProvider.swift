package import AccessControl

/// The client certificate, which the listener has verified, says who the client is.
package struct CertificateProvider: AuthenticationProvider {
    package let name = "certificate"
    private let field: CertificateIdentity.Field

    /// - Parameter field: what of the certificate is the user name.
    package init(field: CertificateIdentity.Field) { self.field = field }

    package func authenticate(_ request: AuthenticationRequest) async -> ProviderAnswer {
        guard request.method == nil, let userName = request.transport?.certificate?[field], !userName.isEmpty else {
            return .ignore
        }
        return .allow(AccessGrant(userName: userName))
    }
}
