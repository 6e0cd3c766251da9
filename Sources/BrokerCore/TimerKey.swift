import MQTTModel

/// What falls due. A key names its owner so that an entry whose owner is gone, or has been set anew, is recognised.
enum TimerKey: Sendable {
    case connectTimeout(ConnectionID)
    case authenticationTimeout(ConnectionID)
    /// A CONNECT has waited that fights for its session.
    case contest(ConnectionID)
    case keepAlive(ConnectionID)
    /// What the client was granted ends.
    case grantExpiry(slot: UInt32, generation: UInt32, at: Instant)
    case sessionExpiry(slot: UInt32, generation: UInt32, armedAt: Instant)
    case will(slot: UInt32, generation: UInt32, dueAt: Instant)
    /// Go on sending what waits in a session: the last step sent as much as one step may.
    case pump(slot: UInt32, generation: UInt32)
    /// Read again for a session for which reading has failed.
    case fetchRetry(slot: UInt32, generation: UInt32)
    /// Go on with the sessions that wait for messages of the log.
    case fetchTurns
    /// Note again what the backbone did not take and nobody else will ask for.
    case noteAgain
    case status
    /// Tell the backbone how far the sessions have come.
    case cursors
}
