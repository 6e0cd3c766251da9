import MQTTSession
import TopicIndex
import Backbone
import MQTTModel

extension BrokerCore {
    /// Gives a message to the backbone; its publisher is answered, and what it publishes later is routed, after `done`.
    mutating func hold(
        _ append: LogAppend, acknowledgement: PublishAcknowledgement, on connection: ConnectionID,
        into effects: inout Effects
    ) {
        append.message.shrink()
        // When it comes back, the publisher may have a new session, or none [MQTT-3.8.3-3].
        let publisher = append.publisher
        if let session = sessions.session(slot: publisher.session, generation: publisher.generation) {
            append.message.publisherHash = StableHash.hash(session.clientIdentifier)
        }
        var append = append
        append.knownRefusal = knownRefusal
        let token = makeToken()
        pipelineOfToken[token] = connection
        effects.all.append(.execute(token, .append(append)))
        pipelines[connection, default: PublishPipeline()].held.append(
            PublishPipeline.Held(
                message: append.message, publisher: append.publisher, acknowledgement: acknowledgement,
                willOf: append.willOf, token: token))
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
            if noteAnswered(token, outcome, at: now) { return }
            if claimedClients[token] != nil {
                sessionsTaken(token, nil, at: now, into: &effects)
                return
            }
            if let held = heldAnswers.removeValue(forKey: token) { answer(held, outcome, at: now, into: &effects) }
            return
        }
        if outcome != .done { knownRefusal = token }
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
            session.online?.lastReceived = now
            effects.all.append(.resumeReading(connection))
        }
    }

    /// The client cannot have more messages under way than Receive Maximum: of what was refused before those it knows.
    private func remember(_ identifier: PacketIdentifier, refusedTo session: Session) {
        if session.refusedIdentifiers.count >= Int(limits.receiveMaximum) { session.refusedIdentifiers.removeFirst() }
        session.refusedIdentifiers.append(identifier)
    }

    private mutating func settled(
        _ held: PublishPipeline.Held, on connection: ConnectionID, at now: Instant, into effects: inout Effects
    ) {
        let session = sessions.session(slot: held.publisher.session, generation: held.publisher.generation)
        guard held.outcome == .done else {
            refused(held, session, on: connection, at: now, into: &effects)
            return
        }
        // It was routed by its entry in the log.
        switch held.acknowledgement {
        case .none: break
        case .pubAck(let origin, let identifier):
            // On another connection the identifier may mean another message.
            guard connections.phase(of: origin) == .online else { return }
            effects.all.append(.acknowledge(origin, .pubAck, identifier, .success))
        case .pubRec(_, let identifier):
            // The exchange belongs to the session: whatever connection it has now is told. Before its CONNACK nothing may
            // be sent [MQTT-3.2.0-1]; after it the client asks again with a PUBLISH.
            guard let online = session?.online, !online.isGated else { return }
            effects.all.append(.acknowledge(online.connection, .pubRec, identifier, .success))
        }
    }
    /// The backbone did not take a message, or it is not known whether it did. The first is said to a 5.0 client; else
    /// there is no acknowledgement, and the client sends it again (P1).
    private mutating func refused(
        _ held: PublishPipeline.Held, _ session: Session?, on connection: ConnectionID, at now: Instant,
        into effects: inout Effects
    ) {
        // The will is the other node's to publish, with the session.
        if connection == BrokerCore.ownConnection, held.outcome == .conflict { return }
        if connection == BrokerCore.ownConnection {
            noting.wills.append((held.message, held.publisher, held.willOf))
            armNoteAgain(at: now)
            return
        }
        if case .pubRec(_, let identifier) = held.acknowledgement {
            _ = session?.finishReceived(identifier)
            _ = session?.notedReceived.remove(identifier)
        }
        guard let session, let online = session.online, online.connection == connection else { return }
        guard held.outcome == .full else {
            disconnect(session, reasonCode: .implementationSpecificError, at: now, into: &effects)
            return
        }
        counters.refusedFull += 1
        switch held.acknowledgement {
        case .none: break
        case .pubAck(_, let identifier) where online.version == .v5_0:
            remember(identifier, refusedTo: session)
            effects.all.append(.acknowledge(connection, .pubAck, identifier, .quotaExceeded))
        case .pubRec(_, let identifier) where online.version == .v5_0:
            remember(identifier, refusedTo: session)
            effects.all.append(.acknowledge(connection, .pubRec, identifier, .quotaExceeded))
        case .pubAck, .pubRec: disconnect(session, reasonCode: .quotaExceeded, at: now, into: &effects)
        }
    }
}
