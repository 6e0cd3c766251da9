import Backbone
import MQTTModel
import TopicIndex

extension BrokerCore {
    /// Sends a message to everybody it is for: this shard's subscribers, one member of each shared subscription, and the
    /// other shards that want it.
    mutating func route(
        _ message: ApplicationMessage, to matches: Matches, publisher: PublisherReference, at now: Instant,
        into effects: inout Effects
    ) {
        deliver(message, to: matches, publisher: publisher, at: now, into: &effects)
        if matches.groups.isEmpty {
            for peer in matches.peers {
                effects.all.append(
                    .forward(
                        shard: peer, .published(message, publisher: publisher, toSubscribers: true, groups: [])))
            }
        } else {
            routeShared(message, to: matches, publisher: publisher, at: now, into: &effects)
        }
    }

    /// Sends a message to this shard's ordinary subscribers: one copy each, whatever number of their subscriptions
    /// match, with the highest QoS and every subscription identifier [MQTT-3.3.4-2, MQTT-3.3.4-4].
    mutating func deliver(
        _ message: ApplicationMessage, to matches: Matches, publisher: PublisherReference, at now: Instant,
        into effects: inout Effects
    ) {
        let start = effects.recipients.count
        let ownSlot = publisher.shard == shard ? publisher.session : .max
        for match in matches.subscribers {
            var qos = match.maximumQoS
            var retainAsPublished = match.retainAsPublished
            var identifierCount = Int(match.identifierCount)
            if match.subscriber == ownSlot, isCurrent(publisher) {
                if match.excludesPublisher { continue }
                // What its subscriptions with No Local say is not for its own messages.
                qos = match.maximumQoSForPublisher
                retainAsPublished = match.retainAsPublishedForPublisher
                identifierCount = Int(match.identifierCountForPublisher)
            }
            qos = min(qos, message.qos)
            let isRetained = message.isRetained && retainAsPublished
            if qos == .atMostOnce, identifierCount == 0, sendPlain(to: match.subscriber, isRetained, &effects) {
                continue
            }
            guard let session = sessions.slots[Int(match.subscriber)] else {
                preconditionFailure("a subscriber in the index has a session")
            }
            let first = Int(match.firstIdentifier)
            let identifiers = matches.identifiers[first..<(first + identifierCount)]
            deliver(
                message, to: session, qos: qos, isRetained: isRetained, subscriptionIdentifiers: identifiers, at: now,
                into: &effects)
        }
        effects.publish(message, toRecipientsFrom: start, at: now)
    }

    private func isCurrent(_ publisher: PublisherReference) -> Bool {
        sessions.session(slot: publisher.session, generation: publisher.generation) != nil
    }

    /// The shortest way of a QoS 0 message: nothing but the path is looked at.
    /// - Returns: false when the session has to be looked at.
    private mutating func sendPlain(to subscriber: UInt32, _ isRetained: Bool, _ effects: inout Effects) -> Bool {
        let path = sessions.paths[Int(subscriber)]
        switch path.mode {
        case .plain:
            counters.messagesSent += 1
            effects.recipients.append(Recipient(connection: path.connection, isRetained: isRetained))
            return true
        case .none:
            counters.droppedNotWritable += 1
            return true
        case .careful:
            return false
        }
    }

    /// What another shard sent: for this shard's subscribers, and for its members of the groups that chose it.
    mutating func peerMessageReceived(_ message: PeerMessage, at now: Instant, into effects: inout Effects) {
        switch message {
        case .routeAdded(let peer, let pattern): index.addRoute(to: peer, for: pattern)
        case .routeRemoved(let peer, let pattern): index.removeRoute(to: peer, for: pattern)
        case .groupChanged(let peer, let group, let members, let connectedMembers):
            index.setPeerMembers(
                of: peer, group: group.name, pattern: group.pattern, members: members,
                connectedMembers: connectedMembers)
        case .published(let message, let publisher, let toSubscribers, let groups):
            if toSubscribers {
                let matches = index.match(message.topic)
                deliver(message, to: matches, publisher: publisher, at: now, into: &effects)
            }
            for group in groups {
                deliver(message, toMemberOf: group, at: now, into: &effects)
            }
        }
    }

    mutating func retainedChanged(_ change: RetainedChange, at now: Instant, into effects: inout Effects) {
        keepRetained(change.message)
        let matches = index.match(change.message.topic)
        deliver(change.message, to: matches, publisher: change.publisher, at: now, into: &effects)
        // Every shard is told of the change and serves its own subscribers; a shared subscription is served by one, the
        // publisher's, which alone knows that it is first.
        let servesGroups = change.publisher.shard == shard || (change.publisher == .none && shard == 0)
        guard servesGroups, !matches.groups.isEmpty else { return }
        routeShared(
            change.message, to: matches, publisher: change.publisher, includingPeers: false, at: now, into: &effects)
    }
}

extension Recipient {
    /// A QoS 0 message with nothing about it.
    init(connection: ConnectionID, isRetained: Bool) {
        self.init(
            connection: connection, packetIdentifier: 0, qos: .atMostOnce, isDuplicate: false, isRetained: isRetained,
            topicAlias: 0, omitsTopic: false, firstSubscriptionIdentifier: 0, subscriptionIdentifierCount: 0)
    }
}
