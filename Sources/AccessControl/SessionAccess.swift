/// What a session's client may do, and what was decided about its topics lately.
///
/// A class, because it belongs to one session and the decisions are kept in it. Touched only by the session's core.
package final class SessionAccess {
    package let identity: AccessIdentity
    private let granted: [AccessRule]
    private var permissions: Permissions
    private var writing = DecisionCache()
    private var receiving = DecisionCache()

    /// - Parameter granted: rules for this client alone.
    package init(identity: AccessIdentity, granted: [AccessRule], rules: AccessRuleSet) {
        self.identity = identity
        self.granted = granted
        permissions = rules.permissions(for: identity, granted: granted)
    }

    /// Whether messages have to be looked at before they go to the client.
    package var restrictsDelivery: Bool { permissions.restrictsDelivery }

    /// Other rules hold from now on: every decision is made anew.
    package func rulesChanged(to rules: AccessRuleSet) {
        permissions = rules.permissions(for: identity, granted: granted)
        writing = DecisionCache()
        receiving = DecisionCache()
    }

    package func permitWriting(_ topic: UnsafeRawBufferPointer) -> Bool {
        writing.decision(on: topic) { permissions.permitWriting($0) }
    }

    package func permitReceiving(_ topic: UnsafeRawBufferPointer) -> Bool {
        receiving.decision(on: topic) { permissions.permitReceiving($0) }
    }

    package func permitSubscribing(to pattern: String) -> Bool { permissions.permitSubscribing(to: pattern) }
}

/// The last decisions by topic: a client publishes to few topics, again and again. A place for each hash; the next topic
/// with the same one takes it over, so the size never changes and nothing is allocated for a topic that is known.
struct DecisionCache {
    private struct Entry {
        var topic: [UInt8] = []
        var isPermitted = false
    }

    private static let capacity = 16
    /// Longer topics are decided each time.
    private static let longestTopic = 256

    private var entries: [Entry] = []

    mutating func decision(
        on topic: UnsafeRawBufferPointer, _ decide: (UnsafeRawBufferPointer) -> Bool
    ) -> Bool {
        guard !topic.isEmpty, topic.count <= DecisionCache.longestTopic else { return decide(topic) }
        if entries.isEmpty { entries = Array(repeating: Entry(), count: DecisionCache.capacity) }
        var hash: UInt32 = 0x811C_9DC5
        for byte in topic { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
        let slot = Int((hash ^ (hash >> 16)) % UInt32(DecisionCache.capacity))
        if entries[slot].topic.count == topic.count, topic.elementsEqual(entries[slot].topic) {
            return entries[slot].isPermitted
        }
        let isPermitted = decide(topic)
        entries[slot] = Entry(topic: Array(topic), isPermitted: isPermitted)
        return isPermitted
    }
}
