package import NATSProtocol

/// What a call of the client can end with, by what the caller may conclude from it.
package enum NATSError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no connection, and the last attempt ended like this.
    case notConnected(DisconnectReason)
    /// It was not sent, so it was not done.
    case notSent(NotSentReason)
    /// Nobody listens to the subject, so it was not done.
    case noResponders
    /// No answer came. It may have been done.
    case unknown(LostAnswer)
    /// The condition of the request does not hold: someone else was first. It was not done.
    case conflict(JetStreamError)
    /// The server refused it. It was not done.
    case refused(JetStreamError)
    /// The answer is not what the request is answered with.
    case malformedAnswer(String)

    /// Whether the same may succeed in a moment: a leader is being elected, a server is starting.
    package var isTemporary: Bool {
        switch self {
        case .notConnected, .notSent, .noResponders, .unknown: true
        case .refused(let error): error.isTemporary
        case .conflict, .malformedAnswer: false
        }
    }

    package var description: String {
        switch self {
        case .notConnected(let reason): "not connected: \(reason)"
        case .notSent(let reason): "not sent: \(reason)"
        case .noResponders: "nobody answers to this subject; for JetStream: no such stream, or no leader"
        case .unknown(let answer): "no answer, it may have been done: \(answer)"
        case .conflict(let error): "someone else was first: \(error)"
        case .refused(let error): "the server says: \(error)"
        case .malformedAnswer(let text): "the server's answer is not understood: \(text)"
        }
    }
}
