import AccessControl
import Backbone
import MQTTSession
import MQTTModel
import TopicIndex

extension BrokerCore {
    /// SUBSCRIBE (section 3.8.4): the answers first, then the retained messages.
    mutating func subscribeReceived(
        _ subscribe: Subscribe, from session: Session, on connection: ConnectionID, at now: Instant,
        into effects: inout Effects
    ) throws(ProtocolViolation) {
        try checkAnswerFits(filterCount: subscribe.entries.count, session: session)
        var filters: [TopicFilter] = []
        filters.reserveCapacity(subscribe.entries.count)
        for entry in subscribe.entries { filters.append(try validFilter(entry.filter, entry.options)) }

        let identifier = subscribe.properties.subscriptionIdentifier ?? 0
        var reasonCodes: [ReasonCode] = []
        reasonCodes.reserveCapacity(filters.count)
        var wishes: [RetainedWish] = []
        var changes: [SessionChange] = []
        for (filter, entry) in zip(filters, subscribe.entries) {
            let replaces = replacesSubscription(filter, entry.options, identifier, of: session)
            let isTooMany = reasonCodes.count >= limits.maximumFiltersPerPacket
            if let reasonCode = isTooMany
                ? .quotaExceeded : reasonToRefuse(filter, replaces: replaces, session: session)
            {
                counters.subscriptionsRefused += 1
                reasonCodes.append(reasonCode)
                if reasonCode == .notAuthorized { subscriptionDenied(filter, of: session, into: &effects) }
                continue
            }
            // What waits by a shared subscription is the group's, wherever the cursor is: it goes by the options of now.
            let messagesWait = session.isDurable && !filter.isShared && hasMessagesToCome(session)
            if messagesWait, replaces { session.earlierSubscriptions.append(lastSequence) }
            let isNew = addSubscription(filter, entry.options, identifier: identifier, to: session, into: &effects)
            reasonCodes.append(.granted(entry.options.maximumQoS))
            if isNoted(filter, of: session) {
                let staysSinceItsBeginning = filter.isShared && !isNew
                changes.append(
                    .subscribed(
                        clientIdentifier: session.clientIdentifier, filter: filter.string, options: entry.options,
                        identifier: identifier, since: staysSinceItsBeginning ? 0 : lastSequence,
                        messagesWait: messagesWait))
            }
            let handling = entry.options.retainHandling
            guard !filter.isShared, handling == .sendAtSubscribe || (handling == .sendIfNewSubscription && isNew)
            else { continue }
            let wish = numbered(
                RetainedWish(pattern: filter.pattern, options: entry.options, identifier: identifier), of: session)
            wishes.append(wish)
            if wish.number > 0 { changes.append(.wished(clientIdentifier: session.clientIdentifier, wish)) }
        }
        let subAck = SubAck(packetIdentifier: subscribe.packetIdentifier, reasonCodes: reasonCodes)
        // In a flock even if there is nothing to note: whatever another node acknowledged before has then come here, too,
        // so that the retained messages are those of now (P4).
        guard changes.isEmpty, !options.isInFlock else {
            note(changes, of: session, then: .subAck(subAck, wishes), into: &effects)
            return
        }
        effects.all.append(.send(connection, .subAck(subAck)))
        sendRetained(wishes, to: session, at: now, into: &effects)
    }

    /// The filter as the rules have it; a filter that is none ends the connection [MQTT-4.7.1-1, MQTT-4.8.2-1].
    private func validFilter(_ string: String, _ options: SubscriptionOptions) throws(ProtocolViolation) -> TopicFilter
    {
        guard let filter = TopicFilter(string) else {
            throw .malformed("MQTT-4.7.1-1", "not a topic filter: # only as the last level, + only as a whole level")
        }
        if filter.isShared, options.noLocal {
            throw .protocolError("MQTT-3.8.3-4", "No Local on a shared subscription")
        }
        return filter
    }

    /// Whether the backbone has to know of the subscription. In a flock it chooses the members of shared ones.
    func isNoted(_ filter: TopicFilter?, of session: Session) -> Bool {
        session.isDurable || (options.isInFlock && filter?.isShared == true)
    }

    /// Whether the session has a subscription to the filter that is another one.
    private func replacesSubscription(
        _ filter: TopicFilter, _ options: SubscriptionOptions, _ identifier: UInt32, of session: Session
    ) -> Bool {
        guard session.isDurable, session.filters.contains(filter.string) else { return false }
        guard let shareName = filter.shareName else {
            return !index.has(session.slot, subscribedTo: filter.pattern, options: options, identifier: identifier)
        }
        let member = index.group(name: shareName, pattern: filter.pattern)?.member(session.slot)
        return member?.options != options || member?.identifier != identifier
    }

    private mutating func reasonToRefuse(_ filter: TopicFilter, replaces: Bool, session: Session) -> ReasonCode? {
        if let access = session.access, !access.permitSubscribing(to: filter.pattern) { return .notAuthorized }
        guard levelCount(of: filter.pattern) <= limits.maximumTopicLevels else { return .topicFilterInvalid }
        guard session.queue?.retainedCount ?? 0 < limits.maximumQueuedRetainedMessages else { return .quotaExceeded }
        if session.filters.contains(filter.string) {
            let isFull = session.earlierSubscriptions.count >= limits.maximumEarlierSubscriptions
            return replaces && isFull && hasMessagesToCome(session) ? .quotaExceeded : nil
        }
        guard memoryLevel != .critical else {
            counters.refusedForMemory += 1
            return .quotaExceeded
        }
        guard session.filters.count < limits.maximumSubscriptionsPerSession,
            index.subscriptionCount < limits.maximumSubscriptions
        else { return .quotaExceeded }
        return nil
    }

    /// A subscription of a lasting session has ended. What it brought and is not finished it has brought after a restart,
    /// too [MQTT-3.10.4-3].
    private func unsubscribed(_ filter: String, of session: Session) -> SessionChange {
        let isKept =
            session.isDurable && session.earlierSubscriptions.count < limits.maximumEarlierSubscriptions
            && hasMessagesToCome(session)
        if isKept { session.earlierSubscriptions.append(lastSequence) }
        return .unsubscribed(
            clientIdentifier: session.clientIdentifier, filter: filter, through: isKept ? lastSequence : nil)
    }

    private func levelCount(of pattern: String) -> Int {
        pattern.utf8.reduce(1) { $1 == UInt8(ascii: "/") ? $0 + 1 : $0 }
    }

    /// - Returns: whether the session had no such subscription.
    mutating func addSubscription(
        _ filter: TopicFilter, _ options: SubscriptionOptions, identifier: UInt32, to session: Session,
        into effects: inout Effects
    ) -> Bool {
        let isNew = session.filters.insert(filter.string)
        if let shareName = filter.shareName {
            let group = SharedGroup(name: shareName, pattern: filter.pattern)
            _ = index.join(
                session.slot, group: shareName, pattern: filter.pattern, options: options, identifier: identifier)
            if isNew {
                session.groups.append(group)
                announce(group, into: &effects)
            }
        } else {
            let outcome = index.subscribe(
                session.slot, to: filter.pattern, options: options, identifier: identifier)
            if outcome.isFirstForPattern {
                forwardToPeers(.routeAdded(shard: shard, pattern: filter.pattern, isLasting: false), into: &effects)
            }
            if isNew, session.isDurable { lastingSubscriptionChanged(filter.string, isAdded: true, into: &effects) }
        }
        return isNew
    }

    /// A lasting session has one subscription more or less; the other shards are told of the first and of the last.
    mutating func lastingSubscriptionChanged(_ string: String, isAdded: Bool, into effects: inout Effects) {
        guard shardCount > 1, !restoring.isTaking, let filter = TopicFilter(string), !filter.isShared else { return }
        let key = ExactText(filter.pattern)
        let count = lastingPatterns[key, default: 0] + (isAdded ? 1 : -1)
        lastingPatterns[key] = count == 0 ? nil : count
        if isAdded, count == 1 {
            forwardToPeers(.routeAdded(shard: shard, pattern: filter.pattern, isLasting: true), into: &effects)
        } else if !isAdded, count == 0 {
            forwardToPeers(.routeRemoved(shard: shard, pattern: filter.pattern, isLasting: true), into: &effects)
        }
    }

    /// UNSUBSCRIBE (section 3.10.4). What is in flight is finished, what waits stays [MQTT-3.10.4-2, MQTT-3.10.4-3].
    mutating func unsubscribeReceived(
        _ unsubscribe: Unsubscribe, from session: Session, on connection: ConnectionID, into effects: inout Effects
    ) throws(ProtocolViolation) {
        try checkAnswerFits(filterCount: unsubscribe.filters.count, session: session)
        for filter in unsubscribe.filters { _ = try validFilter(filter, SubscriptionOptions()) }
        var reasonCodes: [ReasonCode] = []
        var changes: [SessionChange] = []
        reasonCodes.reserveCapacity(unsubscribe.filters.count)
        for filter in unsubscribe.filters {
            let existed = session.filters.contains(filter)
            if existed {
                removeSubscription(filter, of: session, into: &effects)
                _ = session.filters.remove(filter)
                if isNoted(TopicFilter(filter), of: session) { changes.append(unsubscribed(filter, of: session)) }
            }
            reasonCodes.append(existed ? .success : .noSubscriptionExisted)
        }
        let unsubAck = UnsubAck(packetIdentifier: unsubscribe.packetIdentifier, reasonCodes: reasonCodes)
        guard changes.isEmpty else {
            note(changes, of: session, then: .unsubAck(unsubAck), into: &effects)
            return
        }
        effects.all.append(.send(connection, .unsubAck(unsubAck)))
    }

    /// Takes one of the session's subscriptions out of the index and tells the other shards; the session's own list is
    /// the caller's.
    mutating func removeSubscription(_ string: String, of session: Session, into effects: inout Effects) {
        guard let filter = TopicFilter(string) else { preconditionFailure("a session holds valid filters") }
        guard let shareName = filter.shareName else {
            if index.unsubscribe(session.slot, from: filter.pattern).wasLastForPattern {
                forwardToPeers(.routeRemoved(shard: shard, pattern: filter.pattern, isLasting: false), into: &effects)
            }
            if session.isDurable { lastingSubscriptionChanged(string, isAdded: false, into: &effects) }
            return
        }
        let group = SharedGroup(name: shareName, pattern: filter.pattern)
        _ = index.leave(session.slot, group: shareName, pattern: filter.pattern)
        session.groups.removeAll { $0 == group }
        announce(group, into: &effects)
    }

    func forwardToPeers(_ message: PeerMessage, into effects: inout Effects) {
        guard !restoring.isTaking else { return }
        for peer in 0..<shardCount where peer != shard {
            effects.all.append(.forward(shard: peer, message))
        }
    }
}
