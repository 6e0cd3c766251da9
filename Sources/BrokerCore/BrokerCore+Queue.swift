import Backbone
import MQTTModel
import MQTTSession

/// What goes into a session's queue, and what leaves it without being sent.
extension BrokerCore {
    /// Puts a message behind what waits in a session already. When the queue is full, `QueueFullPolicy` decides.
    mutating func enqueue(
        _ message: ApplicationMessage, qos: QoS, isRetained: Bool, subscriptionIdentifiers: ArraySlice<UInt32>,
        sequence: LogSequence, isShared: Bool, for session: Session, into effects: inout Effects
    ) {
        let isReadBack = options.readsLogBack && sequence > 0 && qos != .atMostOnce
        let entry = QueuedEntry(
            sequence: sequence, byteCount: message.byteCount, qos: qos, isRetained: isRetained, isShared: isShared,
            holdsMessage: !isReadBack)
        guard makeRoom(for: entry, in: session, into: &effects) else {
            overflowed(session, isShared: isShared, sequence: sequence, into: &effects)
            return
        }
        let queue = session.queue ?? SessionQueue()
        guard queue.append(entry, message, identifiers: subscriptionIdentifiers) else {
            overflowed(session, isShared: isShared, sequence: sequence, into: &effects)
            return
        }
        session.queue = queue
        // Its turn comes soon, unless it is behind more than there would be room for.
        if isReadBack, session.online != nil, queue.byteCount <= limits.maximumCachedLogBytes {
            log.cache.insert(message, sequence)
        }
    }

    private func hasRoom(for entry: QueuedEntry, in session: Session) -> Bool {
        let (count, bytes) = session.queue.map { ($0.boundedCount, $0.byteCount) } ?? (0, 0)
        return count < limits.maximumQueuedMessages && bytes + Int(entry.byteCount) <= limits.maximumQueuedBytes
    }

    /// - Returns: whether the queue takes the entry, if need be for others that it loses.
    private mutating func makeRoom(
        for entry: QueuedEntry, in session: Session, into effects: inout Effects
    ) -> Bool {
        if hasRoom(for: entry, in: session) { return true }
        dropGivenUp(of: session, into: &effects)
        if options.queueFullPolicy == .dropOldest, limits.maximumQueuedMessages > 0,
            Int(entry.byteCount) <= limits.maximumQueuedBytes
        {
            // Behind copies of retained messages, which were promised with the SUBACK, the oldest cannot be got at.
            while let queue = session.queue, let first = queue.first, !first.isRetainedCopy,
                !hasRoom(for: entry, in: session)
            {
                overflowed(session, isShared: first.isShared, sequence: first.sequence, into: &effects)
                queue.removeFirst()
                if queue.isEmpty { session.queue = nil }
            }
        }
        return hasRoom(for: entry, in: session)
    }

    /// A message is lost for a session because its queue is full.
    private mutating func overflowed(
        _ session: Session, isShared: Bool, sequence: LogSequence, into effects: inout Effects
    ) {
        counters.droppedQueueFull += 1
        report(.queueOverflowed(clientIdentifier: session.clientIdentifier), into: &effects)
        finished(sequence, isShared: isShared, of: session, into: &effects)
    }

    /// The first message in the queue is not sent. The caller gives an empty queue up.
    mutating func dropFirst(
        of queue: SessionQueue, _ session: Session, _ counter: WritableKeyPath<Counters, UInt64>,
        into effects: inout Effects
    ) {
        guard let first = queue.first else { return }
        queue.removeFirst()
        counters[keyPath: counter] += 1
        finished(first.sequence, isShared: first.isShared, of: session, into: &effects)
    }
}

extension Session {
    /// A copy of a retained message for a new subscription; they have a bound of their own.
    func enqueueCopy(of message: ApplicationMessage, qos: QoS, identifiers: ArraySlice<UInt32>) {
        let entry = QueuedEntry(
            sequence: 0, byteCount: message.byteCount, qos: qos, isRetained: true, isRetainedCopy: true,
            holdsMessage: true)
        let queue = queue ?? SessionQueue()
        if queue.append(entry, message, identifiers: identifiers) { self.queue = queue }
    }
}
