package import AccessControl
import BrokerCore
import NIOCore

/// Asks who clients are, and takes over other rules.
extension Shard {
    func authenticate(_ request: AuthenticationRequest, of id: ConnectionID) {
        guard let authenticator else { preconditionFailure("somebody has to check the clients") }
        var request = request
        request.transport = slot(of: id).flatMap { slots[$0].connection?.origin?.transport }
        authenticator.authenticate(request) { outcome in
            self.loop.execute {
                self.readClock()
                self.submit(.authenticated(id, outcome))
            }
        }
    }

    /// Another policy holds from now on. On the shard's loop.
    package func accessChanged(to policy: AccessPolicy) {
        loop.assertInEventLoop()
        readClock()
        submit(.accessChanged(policy))
    }
}
