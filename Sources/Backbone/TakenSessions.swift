import MQTTModel

/// Sessions that are this node's from now on: one that it has claimed for a CONNECT, or those of a node that has died.
package struct TakenSessions: Sendable {
    /// A message of the log, and the shared subscriptions that are not done with it.
    package struct Entry: Sendable {
        package let entry: LogEntry
        package let groups: [SharedGroup]

        package init(_ entry: LogEntry, groups: [SharedGroup] = []) {
            self.entry = entry
            self.groups = groups
        }
    }

    /// As the log has them; a client of which nothing is noted has none.
    package let sessions: [RestoredSession]
    /// What the log has above their cursors, in order, up to the last entry that the shard was told before. The messages
    /// are nobody else's, and their `receivedAt` is the receiver's to set.
    package let entries: [Entry]

    package init(sessions: [RestoredSession] = [], entries: [Entry] = []) {
        self.sessions = sessions
        self.entries = entries
    }
}
