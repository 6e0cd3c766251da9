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
        switch acknowledgement.kind {
        case .pubRel:
            let reasonCode: ReasonCode = session.received.remove(identifier) ? .success : .packetIdentifierNotFound
            effects.all.append(.acknowledge(connection, .pubComp, identifier, reasonCode))
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
            if !session.queue.isEmpty || session.inflight.resendCount > 0 { pump(session, at: now, into: &effects) }
        case .release:
            effects.all.append(.acknowledge(connection, .pubRel, identifier, .success))
        case .notFound:
            break
        case .wrongPacket:
            throw .protocolError("section 4.3", "an acknowledgement that does not belong to the message's QoS")
        }
    }
}
