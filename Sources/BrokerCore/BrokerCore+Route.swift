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
        let entry = LogEntry(sequence: 0, message: message, publisher: publisher)
        deliver(entry, to: matches, at: now, into: &effects)
        if matches.groups.isEmpty || options.isInFlock {
            for peer in matches.peers where peer & BrokerCore.lastingRoute == 0 {
                effects.all.append(.forward(shard: peer, .published(entry, toSubscribers: true, groups: [])))
            }
        } else {
            routeShared(entry, to: matches, at: now, into: &effects)
        }
        if options.isInFlock {
            effects.all.append(
                .forward(shard: BrokerCore.everyNode, .published(entry, toSubscribers: true, groups: [])))
        }
    }

    /// In place of a shard: all other nodes of the flock, each with all its shards.
    package static let everyNode: UInt16 = 0x4000

    /// In the index, the route to a shard for sessions that outlive their connection is its number with this bit.
    static let lastingRoute: UInt16 = 0x8000

    /// Sends a message to this shard's ordinary subscribers: one copy each, whatever number of their subscriptions
    /// match, with the highest QoS and every subscription identifier [MQTT-3.3.4-2, MQTT-3.3.4-4].
    mutating func deliver(
        _ entry: LogEntry, to matches: Matches, at now: Instant, into effects: inout Effects
    ) {
        let message = entry.message
        // On its way from another node, or by a log that took its time [MQTT-3.3.2-5]. One that never had any time reaches
        // who is there.
        if let interval = message.expiryInterval, interval > 0 || entry.publisher == .remote,
            message.isExpired(at: now)
        {
            return
        }
        let start = effects.recipients.count
        for match in matches.subscribers {
            var qos = match.maximumQoS
            var retainAsPublished = match.retainAsPublished
            var identifierCount = Int(match.identifierCount)
            if match.distinguishesPublisher, isPublisher(of: entry, match.subscriber) {
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
                message, to: session, qos: qos, isRetained: isRetained, subscriptionIdentifiers: identifiers,
                sequence: session.isDurable ? entry.sequence : 0, at: now, into: &effects)
        }
        effects.publish(message, toRecipientsFrom: start, at: now)
    }

    /// Whether the session is the publisher's, or a later one under the same client identifier [MQTT-3.8.3-3].
    private func isPublisher(of entry: LogEntry, _ slot: UInt32) -> Bool {
        let publisher = entry.publisher
        if publisher.shard == shard,
            sessions.session(slot: publisher.session, generation: publisher.generation) != nil
        {
            return publisher.session == slot
        }
        guard entry.message.publisherHash != 0, let session = sessions.slots[Int(slot)] else { return false }
        return entry.message.publisherHash == StableHash.hash(session.clientIdentifier)
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
        case .routeAdded(let peer, let pattern, let isLasting):
            index.addRoute(to: isLasting ? peer | BrokerCore.lastingRoute : peer, for: pattern)
        case .routeRemoved(let peer, let pattern, let isLasting):
            index.removeRoute(to: isLasting ? peer | BrokerCore.lastingRoute : peer, for: pattern)
        case .groupChanged(let peer, let group, let members, let connectedMembers):
            index.setPeerMembers(
                of: peer, group: group.name, pattern: group.pattern, members: members,
                connectedMembers: connectedMembers)
        case .published(let entry, let toSubscribers, let groups):
            if toSubscribers {
                deliver(entry, to: index.match(entry.message.topic), at: now, into: &effects)
            }
            for group in groups { deliver(entry, toMemberOf: group, at: now, into: &effects) }
            deliverToChosen(entry, at: now, into: &effects)
        }
    }

    /// The backbone has taken a message: every shard keeps it if it is retained and serves its own subscribers. A shared
    /// subscription is served by one shard, the publisher's.
    mutating func logAppended(_ entry: LogEntry, at now: Instant, into effects: inout Effects) {
        if entry.sequence > lastSequence {
            lastSequence = entry.sequence
            armCursorTimer(at: now)
        }
        if entry.message.isRetained { keepRetained(entry.message) }
        let matches = index.match(entry.message.topic)
        deliver(entry, to: matches, at: now, into: &effects)
        guard !options.isInFlock else { return deliverToChosen(entry, at: now, into: &effects) }
        let servesGroups = entry.publisher.shard == shard || (entry.publisher == .none && shard == 0)
        guard servesGroups, !matches.groups.isEmpty else { return }
        routeShared(entry, to: matches, includingPeers: false, at: now, into: &effects)
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
