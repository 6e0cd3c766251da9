/// What a `ConnectionMachine` asks its driver to do.
package enum ConnectionAction: Hashable, Sendable {
    /// Open a network connection; answered by `opened` or `closed`.
    case open(ServerAddress)
    /// Encrypt it; answered by `secured` or `closed`.
    case secure
    /// Send CONNECT and PING.
    case authenticate(ServerInfo)
    case sendPing
    /// Cut the network connection, if there is one; what it still reports is not passed on.
    case cut
    case report(ConnectionEvent)
}

/// What happens to a client's connection.
package enum ConnectionEvent: Hashable, Sendable {
    case connected(ServerAddress, ServerInfo)
    /// The connection that was is no more; another is being made.
    case disconnected(DisconnectReason)
    case attemptFailed(ServerAddress, DisconnectReason)
    /// All servers were tried; the next round follows after the delay.
    case waiting(Duration)
    /// The server will stop; the client is about to leave it.
    case lameDuck
    /// For good: by the application (nil) or because the last attempt failed.
    case closed(DisconnectReason?)
}

/// Why there is no connection.
package enum DisconnectReason: Hashable, Sendable, CustomStringConvertible {
    /// The name is not known, nobody listens, or the network is down.
    case unreachable(String)
    /// The server did not answer in time.
    case timedOut
    /// Neither a message nor an answer to PING came.
    case silent
    /// The network connection ended without a word.
    case lost
    /// The server said why: "Authorization Violation", "Stale Connection", "Slow Consumer".
    case refused(String)
    case lameDuck
    case protocolError(String)
    case tlsFailed(String)
    /// TLS is wanted, and the server has none.
    case tlsNotOffered

    /// Whether the server does not know who this is, which trying again is not likely to change.
    package var isAuthorization: Bool {
        guard case .refused(let text) = self else { return false }
        return text.lowercased().contains("authorization") || text.lowercased().contains("authentication")
    }

    package var description: String {
        switch self {
        case .unreachable(let text): "the server cannot be reached: \(text)"
        case .timedOut: "the server did not answer in time"
        case .silent: "the server fell silent"
        case .lost: "the connection was lost"
        case .refused(let text): "the server says: \(text)"
        case .lameDuck: "the server is about to stop"
        case .protocolError(let text): "the server does not keep to the protocol: \(text)"
        case .tlsFailed(let text): "TLS: \(text)"
        case .tlsNotOffered: "the server does not offer TLS"
        }
    }
}
