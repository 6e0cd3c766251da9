import Backbone
import DequeModule
import MQTTModel

/// The messages that wait in one session for room in the window, for the client, or for the connection to become
/// writable. A session has one only while something waits, so that the others pay nothing for it.
///
/// A message that the log keeps is not in memory: its entry says where it lies. The others are held beside the entries,
/// in the same order.
final class SessionQueue {
    private var entries = PackedEntries()
    /// Bytes of the messages that are no copies of retained ones, which cost the session nothing but a place.
    private(set) var byteCount = 0
    /// The first message of the log that is the session's own and not its group's; 0 when there is none.
    private(set) var firstOwnSequence: LogSequence = 0
    /// What most queues do without.
    private var extras: Extras?

    /// What comes with entries that are more than a place in the log. Apart, so that a queue of others is small: there is
    /// one for every session that is away.
    private final class Extras {
        var held: Deque<ApplicationMessage> = []
        var identifierSets = IdentifierSets()
        var retainedCount = 0
        var qosZeroCount = 0
        var isOverflowReported = false
        private(set) var heldByteCount = 0
        private var total: QueueTotal?

        deinit { total?.byteCount -= heldByteCount }

        func countHeld(_ byteCount: Int, of total: QueueTotal) {
            self.total = total
            heldByteCount += byteCount
            total.byteCount += byteCount
        }

        func uncountHeld(_ byteCount: Int) {
            heldByteCount -= byteCount
            total?.byteCount -= byteCount
        }
    }

    private func makeExtras() -> Extras {
        if let extras { return extras }
        let made = Extras()
        extras = made
        return made
    }

    /// How many are copies of retained messages; while there are any, everything queues behind them, or a newer message of
    /// a topic would pass the retained one.
    var retainedCount: Int { extras?.retainedCount ?? 0 }
    /// How many others have QoS 0: they queued behind retained copies, and until they have gone a newer one would pass
    /// them.
    var qosZeroCount: Int { extras?.qosZeroCount ?? 0 }

    /// Bytes of those that are in memory and no copies of retained ones: this queue's part of the shard's.
    var heldByteCount: Int { extras?.heldByteCount ?? 0 }

    /// Whether it has been reported that the queue is full; once is enough until it has been empty.
    var isOverflowReported: Bool {
        get { extras?.isOverflowReported ?? false }
        set { makeExtras().isOverflowReported = newValue }
    }

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }
    /// How many count for the bound of the queue.
    var boundedCount: Int { count - retainedCount }

    var first: QueuedEntry? { entries.first }
    /// The message of the first entry that holds one.
    var firstHeld: ApplicationMessage? { extras?.held.first }

    /// Every entry, in order.
    var all: PackedEntries { entries }

    func identifiers(of entry: QueuedEntry) -> [UInt32] {
        extras?.identifierSets[entry.identifierSet] ?? []
    }

    /// - Parameters:
    ///   - message: of an entry that holds its message.
    ///   - total: what it counts for then.
    /// - Returns: false when the subscription identifiers have no place.
    func append(
        _ entry: QueuedEntry, _ message: ApplicationMessage, identifiers: ArraySlice<UInt32>, of total: QueueTotal
    ) -> Bool {
        var entry = entry
        if !identifiers.isEmpty {
            guard let set = makeExtras().identifierSets.use(identifiers) else { return false }
            entry.identifierSet = set
        }
        entries.append(entry)
        if entry.holdsMessage { makeExtras().held.append(message) }
        if entry.isRetainedCopy {
            makeExtras().retainedCount += 1
        } else {
            byteCount += Int(entry.byteCount)
            if entry.holdsMessage { makeExtras().countHeld(Int(entry.byteCount), of: total) }
            if entry.qos == .atMostOnce { makeExtras().qosZeroCount += 1 }
        }
        if entry.isOwn, firstOwnSequence == 0 { firstOwnSequence = entry.sequence }
        return true
    }

    /// Only while there is one.
    func removeFirst() {
        let entry = entries.removeFirst()
        if let extras { removeFirst(entry, from: extras) }
        if !entry.isRetainedCopy { byteCount -= Int(entry.byteCount) }
        if entry.isOwn { firstOwnSequence = entries.first { $0.isOwn }?.sequence ?? 0 }
    }

    private func removeFirst(_ entry: QueuedEntry, from extras: Extras) {
        extras.identifierSets.release(entry.identifierSet)
        if entry.holdsMessage { extras.held.removeFirst() }
        if entry.isRetainedCopy {
            extras.retainedCount -= 1
        } else {
            if entry.holdsMessage { extras.uncountHeld(Int(entry.byteCount)) }
            if entry.qos == .atMostOnce { extras.qosZeroCount -= 1 }
        }
    }

    /// Bytes that its entries take, with the room that is spare.
    var capacity: Int { entries.capacity }

    /// Stops the process when the sums are not those of the entries.
    func checkInvariants() {
        precondition(!isEmpty, "a queue without messages is given up")
        let counted = entries.filter { !$0.isRetainedCopy }
        precondition(entries.count { _ in true } == count, "queued messages are counted")
        precondition(counted.reduce(0) { $0 + Int($1.byteCount) } == byteCount, "queued bytes are counted")
        let inMemory = counted.filter { $0.holdsMessage }.reduce(0) { $0 + Int($1.byteCount) }
        precondition(inMemory == heldByteCount, "queued bytes in memory are counted")
        precondition(counted.count == boundedCount, "queued copies of retained messages are counted")
        precondition(counted.count { $0.qos == .atMostOnce } == qosZeroCount, "queued messages of QoS 0 are counted")
        precondition(
            entries.count { $0.holdsMessage } == extras?.held.count ?? 0,
            "a message is held for each entry that says so")
        let sets = Set(entries.map(\.identifierSet)).subtracting([0])
        precondition(sets.count == extras?.identifierSets.count ?? 0, "sets are used")
        precondition(entries.first { $0.isOwn }?.sequence ?? 0 == firstOwnSequence, "the first own message is known")
    }
}

/// Bytes of the messages that wait in memory in all queues of a shard, counted for each.
final class QueueTotal {
    fileprivate(set) var byteCount = 0
}
