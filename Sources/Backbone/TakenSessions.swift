import MQTTModel

/// Sessions that are this node's from now on: one that it has claimed for a CONNECT, or those of a node that has died.
package struct TakenSessions: Sendable {
    /// As the log has them; a client of which nothing is noted has none.
    package let sessions: [RestoredSession]
    /// What the log has above their cursors, in order, up to the last entry that the shard was told before, and before
    /// that what they were chosen for by shared subscriptions. The messages are nobody else's, and their `receivedAt` is
    /// the receiver's to set.
    package let entries: [LogEntry]

    package init(sessions: [RestoredSession] = [], entries: [LogEntry] = []) {
        self.sessions = sessions
        self.entries = entries
    }
}
