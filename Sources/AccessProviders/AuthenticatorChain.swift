package import AccessControl
package import Logging
import MQTTModel
import Synchronization

/// Asks the providers in order.
package final class AuthenticatorChain: Authenticator {
    private let providers: Mutex<[any AuthenticationProvider]>
    private let allowsAnonymous: Bool
    private let logger: Logger

    /// - Parameter allowsAnonymous: a client that says no name, shows no certificate that counts and begins no enhanced
    ///   authentication is let in without a name.
    package init(_ providers: [any AuthenticationProvider], allowsAnonymous: Bool, logger: Logger) {
        self.providers = Mutex(providers)
        self.allowsAnonymous = allowsAnonymous
        self.logger = logger
    }

    /// Asks these from now on; what is being asked goes on with those before.
    package func replaceProviders(with providers: [any AuthenticationProvider]) {
        self.providers.withLock { $0 = providers }
    }

    package func authenticate(
        _ request: AuthenticationRequest, answer: @escaping @Sendable (AuthenticationOutcome) -> Void
    ) {
        Task { answer(await self.outcome(of: request)) }
    }

    package func stillHolds(_ credential: Credential, of userName: String) -> Bool {
        providers.withLock { $0 }.contains { $0.stillHolds(credential, of: userName) }
    }

    package func outcome(of request: AuthenticationRequest) async -> AuthenticationOutcome {
        for provider in providers.withLock({ $0 }) {
            switch await provider.authenticate(request) {
            case .allow(var grant):
                if grant.certificate == nil { grant.certificate = request.transport?.certificate }
                return .allowed(grant)
            case .deny(let reasonCode):
                logger.debug(
                    "authentication denied",
                    metadata: ["provider": "\(provider.name)", "client": "\(request.clientIdentifier)"])
                return .denied(reasonCode)
            case .challenge(let data, let exchange): return .challenge(data, exchange)
            case .ignore: continue
            }
        }
        return nobodyKnows(request)
    }

    private func nobodyKnows(_ request: AuthenticationRequest) -> AuthenticationOutcome {
        if request.method != nil { return .denied(.badAuthenticationMethod) }
        guard request.userName == nil, request.password == nil else { return .denied(.badUserNameOrPassword) }
        guard allowsAnonymous else { return .denied(.notAuthorized) }
        return .allowed(AccessGrant(userName: nil, certificate: request.transport?.certificate))
    }
}
