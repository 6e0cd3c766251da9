import MQTTSession
import TopicIndex
import Backbone
import MQTTModel

extension BrokerCore {
    /// Puts a publish at the end of its connection's pipeline; with a command it waits for the backbone, without one
    /// for those before it.
    mutating func hold(
        _ message: ApplicationMessage, publisher: PublisherReference, acknowledgement: PublishAcknowledgement,
        on connection: ConnectionID, command: BackboneCommand?, into effects: inout Effects
    ) {
        var token: BackboneToken?
        var isRoutedHere = true
        if let command {
            message.shrink()
            let next = BackboneToken(rawValue: nextToken)
            nextToken += 1
            pipelineOfToken[next] = connection
            token = next
            if case .retain = command { isRoutedHere = false }
            effects.all.append(.execute(next, command))
        }
        pipelines[connection, default: PublishPipeline()].held.append(
            PublishPipeline.Held(
                message: message, publisher: publisher, acknowledgement: acknowledgement, isRoutedHere: isRoutedHere,
                token: token, outcome: token == nil ? .done : nil))
        pauseReadingIfNeeded(connection, into: &effects)
    }

    private mutating func pauseReadingIfNeeded(_ connection: ConnectionID, into effects: inout Effects) {
        guard let count = pipelines[connection]?.held.count, count >= limits.maximumPendingPublishes,
            let slot = connections.session(of: connection), let session = sessions.slots[slot],
            session.online?.isReadingPaused == false
        else { return }
        counters.readingPaused += 1
        session.online?.isReadingPaused = true
        effects.all.append(.pauseReading(connection))
    }

    mutating func backboneAnswered(
        _ token: BackboneToken, _ outcome: BackboneOutcome, at now: Instant, into effects: inout Effects
    ) {
        guard let connection = pipelineOfToken.removeValue(forKey: token) else {
            preconditionFailure("every command is answered once")
        }
        pipelines[connection]?.settle(token, outcome)
        while let held = pipelines[connection]?.popSettled() {
            settled(held, on: connection, at: now, into: &effects)
        }
        guard let remaining = pipelines[connection]?.held.count else { return }
        if remaining == 0 { pipelines[connection] = nil }
        if remaining < limits.maximumPendingPublishes, let slot = connections.session(of: connection),
            let session = sessions.slots[slot], session.online?.isReadingPaused == true
        {
            session.online?.isReadingPaused = false
            effects.all.append(.resumeReading(connection))
        }
    }

    private mutating func settled(
        _ held: PublishPipeline.Held, on connection: ConnectionID, at now: Instant, into effects: inout Effects
    ) {
        let session = sessions.session(slot: held.publisher.session, generation: held.publisher.generation)
        guard held.outcome == .done else {
            // It may or may not have been kept: no acknowledgement, so that the client sends it again (P1).
            if case .pubRec(_, let identifier) = held.acknowledgement { _ = session?.received.remove(identifier) }
            if let session, session.online?.connection == connection {
                disconnect(session, reasonCode: .implementationSpecificError, at: now, into: &effects)
            }
            return
        }
        var reasonCode = ReasonCode.success
        if held.isRoutedHere {
            let matches = index.match(held.message.topic)
            if matches.isEmpty { reasonCode = .noMatchingSubscribers }
            route(held.message, to: matches, publisher: held.publisher, at: now, into: &effects)
        }
        switch held.acknowledgement {
        case .none: break
        case .pubAck(let origin, let identifier):
            // On another connection the identifier may mean another message.
            guard connections.phase(of: origin) == .online else { return }
            effects.all.append(.acknowledge(origin, .pubAck, identifier, reasonCode))
        case .pubRec(_, let identifier):
            // The exchange belongs to the session: whatever connection it has now is told.
            guard let online = session?.online else { return }
            effects.all.append(.acknowledge(online.connection, .pubRec, identifier, reasonCode))
        }
    }
}
