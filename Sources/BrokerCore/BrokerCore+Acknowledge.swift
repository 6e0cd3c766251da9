import Backbone
import DequeModule
import MQTTModel
import MQTTSession

extension BrokerCore {
    /// PUBACK, PUBREC, PUBREL or PUBCOMP from a client (section 4.3).
    mutating func acknowledgementReceived(
        _ acknowledgement: Acknowledgement, from session: Session, on connection: ConnectionID, at now: Instant,
        into effects: inout Effects
    ) throws(ProtocolViolation) {
        let identifier = acknowledgement.packetIdentifier
        let outcome: InflightWindow.AcknowledgementOutcome
        if acknowledgement.kind == .pubRec, session.inflight.isReserved(identifier) {
            takeUpOutOfTurn(identifier, of: session)
        }
        // What the log wants to know of the entry, before it goes.
        let entry = session.isNoted ? session.inflight.entry(identifier) : nil
        switch acknowledgement.kind {
        case .pubRel:
            pubRelReceived(identifier, from: session, on: connection, into: &effects)
            return
        case .pubAck:
            outcome = session.inflight.pubAckReceived(identifier)
        case .pubRec:
            let isRefusal = acknowledgement.reasonCode.isError
            outcome = session.inflight.pubRecReceived(identifier, isRefusal: isRefusal)
            if outcome == .notFound, !isRefusal {
                // Nothing to release, but the client waits for PUBREL [MQTT-4.3.3-4].
                effects.all.append(.acknowledge(connection, .pubRel, identifier, .packetIdentifierNotFound))
            }
        case .pubComp:
            outcome = session.inflight.pubCompReceived(identifier)
        }
        switch outcome {
        case .finished:
            if let entry, entry.sequence > 0 { finished(entry, of: session, into: &effects) }
            if session.queue != nil || session.inflight.resendCount > 0 { pump(session, at: now, into: &effects) }
        case .release:
            if let entry, entry.sequence > 0, entry.phase == .awaitingPubRec {
                noteInflight(identifier, of: session, into: &effects)
                return
            }
            if entry?.note == .pending { return }
            effects.all.append(.acknowledge(connection, .pubRel, identifier, .success))
        case .notFound:
            break
        case .wrongPacket:
            throw .protocolError("section 4.3", "an acknowledgement that does not belong to the message's QoS")
        }
    }

    /// The client answers now what it got before a restart: its message need not be sent again.
    private func takeUpOutOfTurn(_ identifier: PacketIdentifier, of session: Session) {
        guard let index = session.interrupted.firstIndex(where: { $0.packetIdentifier == identifier }) else { return }
        let exchange = session.interrupted[index]
        session.interrupted[index].isAnswered = true
        _ = session.inflight.takeUp(
            nil, packetIdentifier: identifier, isRetained: false, subscriptionIdentifiers: [],
            sequence: exchange.sequence, isShared: exchange.isShared)
    }

    /// PUBREL: the publisher's exchange is over. What the backbone has noted of it goes first, or after a restart another
    /// message under the same identifier would be taken for a repeat.
    private mutating func pubRelReceived(
        _ identifier: PacketIdentifier, from session: Session, on connection: ConnectionID, into effects: inout Effects
    ) {
        let reasonCode: ReasonCode = session.finishReceived(identifier) ? .success : .packetIdentifierNotFound
        guard session.notedReceived.contains(identifier) else {
            effects.all.append(.acknowledge(connection, .pubComp, identifier, reasonCode))
            return
        }
        let exchange = ReceivedExchange(
            clientIdentifier: session.clientIdentifier, packetIdentifier: identifier)
        note([.released(exchange)], of: session, then: .pubComp(identifier, reasonCode), into: &effects)
    }
}
