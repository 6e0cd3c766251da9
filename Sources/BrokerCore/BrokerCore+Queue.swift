import Backbone
import MQTTModel
import MQTTSession

/// What goes into a session's queue, and what leaves it without being sent.
extension BrokerCore {
    /// Puts a message behind what waits in a session already. When the queue is full, `QueueFullPolicy` decides.
    ///
    /// - Parameter hasContent: false when the message only stands for one that has to be read from the log.
    mutating func enqueue(
        _ message: ApplicationMessage, qos: QoS, isRetained: Bool, subscriptionIdentifiers: ArraySlice<UInt32>,
        sequence: LogSequence, isShared: Bool, hasContent: Bool = true, for session: Session,
        into effects: inout Effects
    ) {
        let isReadBack = options.readsLogBack && sequence > 0 && qos != .atMostOnce
        let entry = QueuedEntry(
            sequence: sequence, byteCount: message.byteCount, qos: qos, isRetained: isRetained, isShared: isShared,
            holdsMessage: !isReadBack)
        guard makeRoom(for: entry, in: session, into: &effects) else {
            overflowed(session, into: &effects)
            finished(sequence, qos: qos, isShared: isShared, of: session, into: &effects)
            return
        }
        let queue = session.queue ?? SessionQueue()
        guard queue.append(entry, message, identifiers: subscriptionIdentifiers, of: queueTotal) else {
            overflowed(session, into: &effects)
            finished(sequence, qos: qos, isShared: isShared, of: session, into: &effects)
            return
        }
        session.queue = queue
        // Its turn comes soon, unless it is behind more than there would be room for.
        if isReadBack, hasContent, session.online != nil, queue.byteCount <= limits.maximumCachedLogBytes {
            log.cache.insert(message, sequence)
        }
    }

    private func hasRoom(for entry: QueuedEntry, in session: Session) -> Bool {
        let (count, bytes) = session.queue.map { ($0.boundedCount, $0.byteCount) } ?? (0, 0)
        let size = Int(entry.byteCount)
        guard count < limits.maximumQueuedMessages, bytes + size <= limits.maximumQueuedBytes else { return false }
        return !entry.holdsMessage || queueTotal.byteCount + size <= limits.maximumTotalQueuedBytes
    }

    /// - Returns: whether the queue takes the entry, if need be for others that it loses.
    private mutating func makeRoom(
        for entry: QueuedEntry, in session: Session, into effects: inout Effects
    ) -> Bool {
        if hasRoom(for: entry, in: session) { return true }
        dropGivenUp(of: session, into: &effects)
        if options.queueFullPolicy == .dropOldest, limits.maximumQueuedMessages > 0,
            Int(entry.byteCount) <= limits.maximumQueuedBytes,
            queueTotal.byteCount - (session.queue?.heldByteCount ?? 0) + Int(entry.byteCount)
                <= limits.maximumTotalQueuedBytes
        {
            // Behind copies of retained messages, which were promised with the SUBACK, the oldest cannot be got at.
            while let queue = session.queue, let first = queue.first, !first.isRetainedCopy,
                !hasRoom(for: entry, in: session)
            {
                overflowed(session, into: &effects)
                leaveUnsent(first, session, into: &effects)
                queue.removeFirst()
                if queue.isEmpty { session.queue = nil }
            }
        }
        return hasRoom(for: entry, in: session)
    }

    /// A message is lost for a session because its queue is full.
    private mutating func overflowed(_ session: Session, into effects: inout Effects) {
        counters.droppedQueueFull += 1
        if session.queue?.isOverflowReported != true {
            session.queue?.isOverflowReported = true
            report(.queueOverflowed(clientIdentifier: session.clientIdentifier), into: &effects)
        }
    }

    /// The first message in the queue is not sent. The caller gives an empty queue up.
    mutating func dropFirst(
        of queue: SessionQueue, _ session: Session, _ counter: WritableKeyPath<Counters, UInt64>,
        into effects: inout Effects
    ) {
        guard let first = queue.first else { return }
        queue.removeFirst()
        counters[keyPath: counter] += 1
        leaveUnsent(first, session, into: &effects)
    }

    /// The first message leaves the queue and does not go out from there. With one that a restart has interrupted, the
    /// client may hold a packet identifier, which it is asked to release; if it has not answered it already.
    mutating func leaveUnsent(_ first: QueuedEntry, _ session: Session, into effects: inout Effects) {
        guard let exchange = session.interrupted.first, exchange.isOf(first) else {
            return finished(
                first.sequence, qos: first.qos, isShared: first.isShared, of: session, into: &effects)
        }
        session.interrupted.removeFirst()
        if exchange.isAnswered {
            markCursorDirty(session)
        } else {
            // PUBREL goes out at once, in the next step.
            session.inflight.releaseReserved(
                exchange.packetIdentifier, sequence: first.sequence, isShared: first.isShared)
            arm(.pump(slot: session.slot, generation: session.generation), at: .zero)
        }
    }
}

extension Session {
    /// A copy of a retained message for a new subscription; they have a bound of their own.
    func enqueue(_ copy: RetainedCopy, sequence: LogSequence, _ total: QueueTotal) {
        let entry = QueuedEntry(
            sequence: sequence, byteCount: copy.message.byteCount, qos: copy.qos, isRetained: true,
            isRetainedCopy: true, holdsMessage: true)
        append(entry, copy.message, identifiers: copy.subscriptionIdentifiers, total)
    }

    /// Whatever the bounds say: it has been promised.
    func append(_ entry: QueuedEntry, _ message: ApplicationMessage, identifiers: [UInt32], _ total: QueueTotal) {
        let queue = queue ?? SessionQueue()
        self.queue = queue
        if queue.append(entry, message, identifiers: identifiers[...], of: total) { return }
        // There are too many of them: without is better than not at all.
        let isAppended = queue.append(entry, message, identifiers: [], of: total)
        precondition(isAppended, "no identifiers always have a place")
    }
}
