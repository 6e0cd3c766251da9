import Backbone
import MQTTModel
import TopicIndex

/// Messages of shared subscriptions whose members were chosen by a backbone that several nodes share.
extension BrokerCore {
    /// Gives a message to those of the chosen members whose sessions are on this shard.
    mutating func deliverToChosen(_ entry: LogEntry, at now: Instant, into effects: inout Effects) {
        for choice in entry.choices where isHome(of: choice) {
            guard let (_, member) = member(chosen: choice, for: entry, into: &effects) else { continue }
            if choice.isKept, min(member.options.maximumQoS, entry.message.qos) == .atMostOnce {
                note([.groupFinished(choice.group, sequence: entry.sequence)], into: &effects)
            }
            deliver(entry, to: member, of: choice.group, at: now, into: &effects)
        }
    }

    /// What other members have not taken waits in the queue, wherever it is in the log, until it is read.
    mutating func messagesPassed(_ entries: [LogEntry], at now: Instant, into effects: inout Effects) {
        for entry in entries {
            for choice in entry.choices where isHome(of: choice) {
                guard let (session, member) = member(chosen: choice, for: entry, into: &effects) else { continue }
                let qos = min(member.options.maximumQoS, entry.message.qos)
                guard qos != .atMostOnce else {
                    note([.groupFinished(choice.group, sequence: entry.sequence)], into: &effects)
                    continue
                }
                session.claims[entry.sequence, default: []].append(GroupClaim(group: choice.group, qos: qos))
                enqueue(
                    entry.message, qos: qos, isRetained: entry.message.isRetained && member.options.retainAsPublished,
                    subscriptionIdentifiers: member.identifier == 0 ? [] : [member.identifier],
                    sequence: entry.sequence, isShared: true, hasContent: false, for: session, into: &effects)
                arm(.pump(slot: session.slot, generation: session.generation), at: now)
            }
        }
    }

    private func isHome(of choice: GroupChoice) -> Bool {
        HomeShard.index(of: choice.client.string, shardCount: shardCount) == shard
    }

    /// - Returns: nil when the client was a member when it was chosen, and is none any more: the message is another's.
    private mutating func member(
        chosen choice: GroupChoice, for entry: LogEntry, into effects: inout Effects
    ) -> (Session, SharedGroupState.Member)? {
        if let session = sessions.session(for: choice.client.string),
            let member = index.group(name: choice.group.name, pattern: choice.group.pattern)?.member(session.slot)
        {
            return (session, member)
        }
        pass(entry, choice, into: &effects)
        return nil
    }

    private mutating func pass(_ entry: LogEntry, _ choice: GroupChoice, into effects: inout Effects) {
        guard choice.isKept, !isShuttingDown else { return }
        noteFinish(
            [.groupPassed(choice.group, sequence: entry.sequence, clientIdentifier: choice.client.string)],
            into: &effects)
    }

    /// Messages that the log has for sessions which are taken up: they go on, whether or not these are members still.
    mutating func restoreChosen(_ entry: LogEntry, into effects: inout Effects) {
        for choice in entry.choices where isHome(of: choice) {
            guard let session = sessions.session(for: choice.client.string), restoring.isRestored(session) else {
                continue
            }
            let subscription = restoring.sharedSubscription(session, choice.group)
            let identifier = subscription?.identifier ?? 0
            let qos = min(subscription?.options.maximumQoS ?? .exactlyOnce, entry.message.qos)
            let exchange = SentExchange(sequence: entry.sequence, group: choice.group)
            if qos == .atMostOnce, session.restoredSent[exchange] == nil {
                noteFinish([.groupFinished(choice.group, sequence: entry.sequence)], into: &effects)
                continue
            }
            restore(
                entry, to: session, qos: qos,
                isRetained: entry.message.isRetained && subscription?.options.retainAsPublished == true,
                subscriptionIdentifiers: identifier == 0 ? [] : [identifier], group: choice.group, into: &effects)
        }
    }
}
