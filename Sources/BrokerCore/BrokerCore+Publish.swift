import AccessControl
import DequeModule
import MQTTSession
import Backbone
import MQTTModel
import TopicIndex

extension BrokerCore {
    /// The pipeline of what the broker publishes itself: wills.
    static let ownConnection = ConnectionID(slot: .max, generation: .max)

    /// Time between two messages of a shard whose way is timed: enough for a histogram, too few to cost anything.
    static let timingInterval = Duration.milliseconds(10)

    /// PUBLISH from a client (section 3.3.4).
    mutating func publishReceived(
        _ publish: Publish, from session: Session, on connection: ConnectionID, at now: Instant,
        into effects: inout Effects
    ) throws(ProtocolViolation) {
        counters.messagesReceived += 1
        received.add(publish.qos, payloadBytes: publish.message.payloadLength)
        var message = publish.message
        if publish.topicAlias != 0 {
            message = try session.receivedAliases.resolve(publish)
        }
        if message.expiryInterval != nil { message.receivedAt = now }
        // A retained message goes out again whenever somebody subscribes.
        if now >= nextTimedAt, !message.isRetained {
            message.timedSince = now
            nextTimedAt = now.advanced(by: BrokerCore.timingInterval)
        }

        if publish.qos != .atMostOnce, !session.refusedIdentifiers.isEmpty,
            repeatRefusal(of: publish, from: session, on: connection, into: &effects)
        {
            return
        }
        let acknowledgement: PublishAcknowledgement
        switch publish.qos {
        case .atMostOnce:
            acknowledgement = .none
        case .atLeastOnce:
            try checkReceiveMaximum(of: session, on: connection)
            acknowledgement = .pubAck(connection, publish.packetIdentifier)
        case .exactlyOnce:
            guard !session.received.contains(publish.packetIdentifier) else {
                session.repeatReceived(publish.packetIdentifier)
                repeatReceived(publish.packetIdentifier, from: session, on: connection, into: &effects)
                return
            }
            try checkReceiveMaximum(of: session, on: connection)
            _ = session.received.insert(publish.packetIdentifier)
            acknowledgement = .pubRec(connection, publish.packetIdentifier)
        }
        if let access = session.access, !access.permitWriting(message.topic) {
            publishDenied(message, acknowledgement, from: session, at: now, into: &effects)
            return
        }
        if let reasonCode = reasonToRefuse(message, of: session) {
            // 3.x cannot be told: the message is acknowledged and dropped.
            let told = session.online?.version == .v5_0 ? reasonCode : .success
            acknowledge(acknowledgement, told, session: session, into: &effects)
            return
        }
        accept(
            message, qos: publish.qos, publisher: reference(to: session), acknowledgement: acknowledgement,
            on: connection, at: now, into: &effects)
    }

    /// A QoS 2 message whose identifier is not released yet: PUBREC again, no second delivery [MQTT-4.3.3-10]. Not while
    /// the first is not certain: its PUBREC comes when it is.
    private func repeatReceived(
        _ identifier: PacketIdentifier, from session: Session, on connection: ConnectionID, into effects: inout Effects
    ) {
        let publisher = reference(to: session)
        // Order-free: asks whether there is one.
        for pipeline in pipelines.values {
            for held in pipeline.held where held.publisher == publisher {
                if case .pubRec(_, identifier) = held.acknowledgement { return }
            }
        }
        effects.all.append(.acknowledge(connection, .pubRec, identifier, .success))
    }

    /// A message that was refused is refused again when its client repeats it, having lost its connection before it knew:
    /// taken now, it would come behind what the client had sent after it (P3).
    private func repeatRefusal(
        of publish: Publish, from session: Session, on connection: ConnectionID, into effects: inout Effects
    ) -> Bool {
        guard let index = session.refusedIdentifiers.firstIndex(of: publish.packetIdentifier) else { return false }
        guard publish.isDuplicate, session.online?.version == .v5_0 else {
            session.refusedIdentifiers.remove(at: index)
            return false
        }
        let kind: Acknowledgement.Kind = publish.qos == .atLeastOnce ? .pubAck : .pubRec
        effects.all.append(.acknowledge(connection, kind, publish.packetIdentifier, .quotaExceeded))
        return true
    }

    /// Holds a 5.0 client to the Receive Maximum it was told [MQTT-3.3.4-9]. Before the new message is counted: one that
    /// is refused leaves no trace, or its repeat would be taken for known.
    private func checkReceiveMaximum(of session: Session, on connection: ConnectionID) throws(ProtocolViolation) {
        guard session.online?.version == .v5_0 else { return }
        var unacknowledged = session.receivedCount
        if !pipelines.isEmpty, let pipeline = pipelines[connection] {
            for held in pipeline.held {
                if case .pubAck = held.acknowledgement { unacknowledged += 1 }
            }
        }
        guard unacknowledged < Int(limits.receiveMaximum) else {
            throw ProtocolViolation(
                .receiveMaximumExceeded, clause: "MQTT-3.3.4-9", "more messages unacknowledged than Receive Maximum")
        }
    }

    /// Topics that are the broker's own: `$SYS/` says what the broker says, `$share/` is no topic but a subscription.
    func isReserved(_ topic: UnsafeRawBufferPointer) -> Bool {
        guard topic.first == UInt8(ascii: "$") else { return false }
        return topic.starts(with: "$SYS/".utf8) || topic.starts(with: "$share/".utf8)
    }

    private mutating func reasonToRefuse(_ message: ApplicationMessage, of session: Session) -> ReasonCode? {
        if isReserved(message.topic) { return .notAuthorized }
        return message.isRetained ? reasonToRefuseRetained(message, of: session) : nil
    }

    /// Takes a message in: routes it and acknowledges it, at once if nothing durable or shared depends on it and nothing
    /// of the same publisher waits; else when the backbone says `done` (P1), in order (P3).
    mutating func accept(
        _ message: ApplicationMessage, qos: QoS, publisher: PublisherReference, acknowledgement: PublishAcknowledgement,
        willOf: String? = nil, on connection: ConnectionID, at now: Instant, into effects: inout Effects
    ) {
        let matches = index.match(message.topic)
        if message.isRetained || willOf != nil || (qos != .atMostOnce && isWantedLastingly(matches)) {
            var append = LogAppend(message: message, publisher: publisher)
            append.willOf = willOf
            if qos != .atMostOnce {
                append.isKept = options.isInFlock || isWantedBySubscriber(matches)
                // In a flock the members are chosen where the log is added up.
                if !options.isInFlock { append.groups = lastingGroups(matches) }
            }
            prepare(&append, acknowledgement)
            hold(append, acknowledgement: acknowledgement, on: connection, into: &effects)
        } else if !pipelines.isEmpty, pipelines[connection] != nil {
            // By the backbone too, though it keeps nothing of it: routed from here, it would reach other shards after what
            // the same client published later, if both of its neighbours are settled at once (P3).
            var append = LogAppend(message: message, publisher: publisher)
            prepare(&append, acknowledgement)
            hold(append, acknowledgement: acknowledgement, on: connection, into: &effects)
        } else {
            route(message, to: matches, publisher: publisher, at: now, into: &effects)
            acknowledge(acknowledgement, matches.isEmpty ? .noMatchingSubscribers : .success, into: &effects)
        }
    }

    /// Whether the log has to keep a message with QoS > 0 for anybody.
    private func isWantedLastingly(_ matches: Matches) -> Bool {
        if options.isInFlock { return true }
        if sessions.durableCount > 0 || !matches.peers.isEmpty, isWantedBySubscriber(matches) { return true }
        for group in matches.groups where mayHaveLastingMember(group) { return true }
        return false
    }

    /// Whether a session that outlives its connection would get it, here or on another shard.
    private func isWantedBySubscriber(_ matches: Matches) -> Bool {
        if let last = matches.peers.last, last & BrokerCore.lastingRoute != 0 { return true }
        guard sessions.durableCount > 0 else { return false }
        for match in matches.subscribers where match.maximumQoS != .atMostOnce {
            if sessions.paths[Int(match.subscriber)].isDurable { return true }
        }
        return false
    }

    private func lastingGroups(_ matches: Matches) -> [SharedGroup] {
        var groups: [SharedGroup] = []
        for group in matches.groups where mayHaveLastingMember(group) {
            groups.append(SharedGroup(name: group.name, pattern: group.pattern))
        }
        return groups
    }

    /// Whether a member's session outlives its connection. Of members elsewhere only their shard knows.
    private func mayHaveLastingMember(_ group: SharedGroupState) -> Bool {
        if !group.peers.isEmpty { return true }
        guard sessions.durableCount > 0 else { return false }
        for member in group.members where sessions.paths[Int(member.subscriber)].isDurable { return true }
        return false
    }

    /// What only the log needs to know of the message: by which exchange it came, and from whom.
    private func prepare(_ append: inout LogAppend, _ acknowledgement: PublishAcknowledgement) {
        guard
            let session = sessions.session(slot: append.publisher.session, generation: append.publisher.generation)
        else { return }
        if case .pubRec(_, let identifier) = acknowledgement, session.isDurable {
            append.received = ReceivedExchange(
                clientIdentifier: session.clientIdentifier, packetIdentifier: identifier)
            _ = session.notedReceived.insert(identifier)
        } else if options.isInFlock {
            append.publishedBy = ExactText(session.clientIdentifier)
        }
    }

    /// Acknowledges to a publisher that was just heard, whose version is not at hand: 0x10 is success to 3.x anyway.
    private func acknowledge(
        _ acknowledgement: PublishAcknowledgement, _ reasonCode: ReasonCode, into effects: inout Effects
    ) {
        switch acknowledgement {
        case .none: break
        case .pubAck(let connection, let identifier):
            effects.all.append(.acknowledge(connection, .pubAck, identifier, reasonCode))
        case .pubRec(let connection, let identifier):
            effects.all.append(.acknowledge(connection, .pubRec, identifier, reasonCode))
        }
    }

    /// The same; a refusal also ends a QoS 2 exchange, so its identifier is free again.
    func acknowledge(
        _ acknowledgement: PublishAcknowledgement, _ reasonCode: ReasonCode, session: Session,
        into effects: inout Effects
    ) {
        if reasonCode.isError, case .pubRec(_, let identifier) = acknowledgement {
            _ = session.finishReceived(identifier)
        }
        acknowledge(acknowledgement, reasonCode, into: &effects)
    }
}
