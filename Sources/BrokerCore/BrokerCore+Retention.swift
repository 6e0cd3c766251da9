import Backbone
import DequeModule
import MQTTModel
import MQTTSession

/// The log gives its oldest messages up when it reaches its bounds, whoever wants them: then they wait in no session
/// either.
extension BrokerCore {
    /// Takes what the log has given up out of the sessions' queues, and counts it. What is in flight goes on to its end.
    /// With the cursors and not with every commit, for it looks at every session.
    mutating func dropGivenUp(into effects: inout Effects) {
        guard sweptThrough < droppedThrough else { return }
        sweptThrough = droppedThrough
        for session in sessions.slots {
            if let session, !session.queue.isEmpty { dropGivenUp(of: session, into: &effects) }
        }
    }

    /// A queue is in the order of the log, but for copies of retained messages, which are not in it.
    private mutating func dropGivenUp(of session: Session, into effects: inout Effects) {
        let heldBackQoSZero = session.holdsBackQoSZero
        var kept: [QueuedMessage] = []
        while let first = session.queue.first, first.sequence <= droppedThrough {
            session.queue.removeFirst()
            guard first.sequence > 0 else {
                kept.append(first)
                continue
            }
            counters.droppedByRetention += 1
            session.queuedBytes -= first.message.byteCount
            if first.qos == .atMostOnce { session.queuedQoSZeroCount -= 1 }
            finished(first.sequence, isShared: first.isShared, of: session, into: &effects)
        }
        session.queue.prepend(contentsOf: kept)
        if heldBackQoSZero, !session.holdsBackQoSZero { sessions.updatePath(of: session) }
    }

    /// After a restart: exchanges whose message the log gave up while it was in flight. The client may hold the packet
    /// identifier and would take another message under it for a repeat, so it is asked to release it first.
    mutating func restoreGivenUp() {
        for (sequence, slots) in restoring.interrupted.sorted(by: { $0.key < $1.key }) {
            for slot in slots {
                guard let session = sessions.slots[Int(slot)], let sent = session.restoredSent[sequence],
                    sent.phase != .finished, session.isDurable
                else { continue }
                session.inflight.restore(
                    nil, packetIdentifier: sent.packetIdentifier, subscriptionIdentifiers: [], sequence: sequence,
                    isShared: false)
            }
        }
    }
}
