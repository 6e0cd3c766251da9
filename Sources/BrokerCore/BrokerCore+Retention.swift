import Backbone
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
            if let session { dropGivenUp(of: session, into: &effects) }
        }
    }

    /// A queue is in the order of the log. What stands behind copies of retained messages, which are not in it, is found
    /// to be gone when its turn comes.
    mutating func dropGivenUp(of session: Session, into effects: inout Effects) {
        guard let queue = session.queue else { return }
        let heldBackQoSZero = session.holdsBackQoSZero
        while let first = queue.first, first.sequence > 0, first.sequence <= droppedThrough {
            dropFirst(of: queue, session, \.droppedByRetention, into: &effects)
        }
        if queue.isEmpty { session.queue = nil }
        if heldBackQoSZero, !session.holdsBackQoSZero { sessions.updatePath(of: session) }
    }
}
