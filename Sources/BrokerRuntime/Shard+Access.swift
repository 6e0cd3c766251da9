package import AccessControl
import BrokerCore
import MQTTModel
import NIOCore

/// Asks who clients are, and takes over other rules.
extension Shard {
    func authenticate(_ request: AuthenticationRequest, of id: ConnectionID) {
        guard let authenticator else { preconditionFailure("somebody has to check the clients") }
        var request = request
        request.transport = slot(of: id).flatMap { slots[$0].connection?.origin?.transport }
        let (client, said) = (request.clientIdentifier, request.userName)
        authenticator.authenticate(request) { outcome in
            self.loop.execute {
                self.readClock()
                self.submit(.authenticated(id, self.confirmed(outcome, client, said, id)))
            }
        }
    }

    /// The answer, unless it has been overtaken: a ban may have come meanwhile, or be on the name that was proven.
    private func confirmed(
        _ outcome: AuthenticationOutcome, _ clientIdentifier: String, _ userName: String?, _ id: ConnectionID
    ) -> AuthenticationOutcome {
        guard case .allowed(let grant) = outcome, let index = slot(of: id) else { return outcome }
        if isBanned(clientIdentifier, [userName, grant.userName], slots[index].connection) {
            runtimeCounters.bannedRefused += 1
            return .denied(.banned)
        }
        return outcome
    }

    /// Another policy holds from now on. On the shard's loop.
    package func accessChanged(to policy: AccessPolicy) {
        loop.assertInEventLoop()
        readClock()
        submit(.accessChanged(policy))
    }
}
