import Backbone
import MQTTModel
import MQTTSession

/// The log gives its oldest messages up when it reaches its bounds, whoever wants them: then they wait in no session
/// either: they learn of it with the next survey of them all.
extension BrokerCore {
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
