import AccessControl
import MQTTModel

/// A connection whose client is being checked before its CONNECT is accepted.
struct PendingAuthentication {
    let connect: Connect
    /// That of the CONNECT, or the one that was assigned.
    let clientIdentifier: String
    var turn: AuthenticationTurn
}

/// What an authentication waits for.
enum AuthenticationTurn {
    /// The authenticator's answer. Can transition to: `client`, or the end.
    case authenticator
    /// The client's AUTH. Can transition to: `authenticator`.
    case client(any AuthenticationExchange)
}

/// The enhanced authentication of a connected client (5.0 section 4.12): it may prove itself again with the method it came
/// in by.
struct SessionAuthentication {
    let method: String
    /// Under which it came in, and has to stay.
    let userName: String?
    /// nil while none is going on.
    var turn: AuthenticationTurn?
    /// When one that goes on has to be done.
    var dueAt = Instant.distantFuture
}
