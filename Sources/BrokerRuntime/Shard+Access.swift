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
        // As mail, since the answer may come when the loop has ended.
        authenticator.authenticate(request) { outcome in
            self.post(
                [.authenticated(id, outcome, clientIdentifier: client, userName: said)], from: self.index)
        }
    }

    /// The answer, unless it has been overtaken: a ban may have come meanwhile, or be on the name that was proven; what the
    /// name was proven by may have been taken away.
    func confirmed(
        _ outcome: AuthenticationOutcome, _ clientIdentifier: String, _ userName: String?, _ id: ConnectionID
    ) -> AuthenticationOutcome {
        guard case .allowed(let grant) = outcome, let index = slot(of: id) else { return outcome }
        if isBanned(clientIdentifier, [userName, grant.userName], slots[index].connection) {
            runtimeCounters.bannedRefused += 1
            return .denied(.banned)
        }
        if grant.credential != nil || !credentials.isEmpty { credentials[id.slot] = grant.credential }
        return holds(grant.credential, of: grant.userName) ? outcome : .denied(.notAuthorized)
    }

    private func holds(_ credential: Credential?, of userName: String?) -> Bool {
        guard let credential, let userName, let authenticator else { return true }
        return authenticator.stillHolds(credential, of: userName)
    }

    /// Ends the connections from `place` on whose clients have lost what they were let in for: a line of the password file,
    /// a certificate.
    package func disconnectRevoked(from place: Int) -> (ended: Int, next: Int?) {
        loop.assertInEventLoop()
        readClock()
        let end = min(place + Shard.inspectionStep, slots.count)
        var ended = 0
        for index in min(place, end)..<end {
            guard let connection = slots[index].connection, let id = connection.id else { continue }
            let client = core.client(of: id)
            guard connection.isRevoked || !holds(credentials[id.slot], of: client?.userName) else { continue }
            ended += 1
            logRevoked(client?.clientIdentifier ?? "")
            submit(.disconnectRequested(id, .notAuthorized, serverReference: nil))
        }
        runtimeCounters.credentialsRevoked += UInt64(ended)
        return (ended, end < slots.count ? end : nil)
    }

    /// Another policy holds from now on. On the shard's loop.
    package func accessChanged(to policy: AccessPolicy) {
        loop.assertInEventLoop()
        readClock()
        submit(.accessChanged(policy))
    }
}
