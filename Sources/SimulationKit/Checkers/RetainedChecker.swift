package import MQTTModel

/// The retained message of a topic is a register (P4): who subscribes gets the last one that was acknowledged, or one
/// that was being written meanwhile, and never one that had been replaced before.
package struct RetainedChecker: Checker {
    private struct Receipt: Hashable {
        let client: Int
        let session: Int
        let number: Int
    }
    private struct Debt {
        let receipt: Receipt
        let since: Instant
    }
    private let profiles: [ClientProfile]
    private var received: [Receipt: Instant] = [:]
    private var debts: [Debt] = []
    /// Numbers of the messages that were retained, by topic.
    private var topics: [String: [Int]] = [:]
    private var known = 0

    private let isFlock: Bool

    package init(swarm: Swarm, profiles: [ClientProfile]) {
        self.profiles = profiles
        isFlock = swarm.nodeCount > 1
    }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        collect(history)
        switch occurrence {
        case .publishReceived(let who, let packet) where packet.publish.isRetained:
            guard let number = packet.number else { return }
            received[Receipt(client: who.client, session: who.session, number: number)] = now
            if isStale(number, for: who, history) {
                verdict.fail(
                    .retained,
                    "client \(who.client) got message \(number) of \(history.messages[number].topic), which had been "
                        + "replaced before it subscribed", at: now)
            }
        // A node that lags has the subscription before the message: then it comes as a new one.
        case .publishReceived(let who, let packet) where isFlock:
            if let number = packet.number, history.messages[number].isRetained {
                received[Receipt(client: who.client, session: who.session, number: number)] = now
            }
        case .subscribed(let who, let subscription):
            noteDebts(of: who, subscription, history)
        default: break
        }
    }

    private mutating func collect(_ history: History) {
        while known < history.messages.count {
            let message = history.messages[known]
            if message.isRetained { topics[message.topic, default: []].append(known) }
            known += 1
        }
    }

    /// Whether `later` was written after `earlier` for certain.
    private func replaces(_ later: MessageRecord, _ earlier: MessageRecord) -> Bool {
        guard later.acknowledgedAt != nil, !later.isRefused, let started = later.firstSentAt else { return false }
        if let ended = earlier.acknowledgedAt, ended < started { return true }
        return later.publisher == earlier.publisher && later.publisherSession == earlier.publisherSession
            && later.qos == earlier.qos && later.number > earlier.number && !earlier.isWill && !later.isWill
    }

    /// Whether every subscription that could have brought the message was made after it had been replaced.
    private func isStale(_ number: Int, for who: Attendance, _ history: History) -> Bool {
        let message = history.messages[number]
        guard let session = history.session(who.session, of: who.client) else { return false }
        let matching = session.subscriptions.filter { $0.filter.matches(message.topic) }
        let replacements = (topics[message.topic] ?? []).map { history.messages[$0] }.filter { replaces($0, message) }
        return !matching.isEmpty
            && matching.allSatisfy { subscription in
                replacements.contains { ($0.acknowledgedAt ?? .distantFuture) < subscription.sentAt }
            }
    }

    /// What the subscription has to bring: for each topic the message that was certainly the last.
    private mutating func noteDebts(of who: Attendance, _ subscription: SubscriptionRecord, _ history: History) {
        guard !subscription.filter.isShared, let grantedAt = subscription.grantedAt,
            let qos = subscription.grantedQoS, qos != .atMostOnce, profiles[who.client].maximumPacketSize == nil
        else { return }
        switch subscription.options.retainHandling {
        case .doNotSend: return
        case .sendIfNewSubscription where subscription.isRepeat: return
        default: break
        }
        for topic in topics.keys.sorted() where subscription.filter.matches(topic) {
            let writes = (topics[topic] ?? []).map { history.messages[$0] }
                .filter { ($0.firstSentAt ?? ($0.isWill ? .zero : .distantFuture)) <= grantedAt && !$0.isRefused }
            guard
                let last = writes.first(where: { candidate in
                    (candidate.acknowledgedAt ?? .distantFuture) < subscription.sentAt
                        && writes.allSatisfy { $0.number == candidate.number || replaces(candidate, $0) }
                }), !last.isClear, last.expiryInterval == nil, last.qos != .atMostOnce,
                !(subscription.options.noLocal && last.publisher == who.client)
            else { continue }
            let receipt = Receipt(client: who.client, session: who.session, number: last.number)
            debts.append(Debt(receipt: receipt, since: subscription.sentAt))
        }
    }

    private func isReplaced(_ debt: Debt, _ history: History) -> Bool {
        (topics[history.messages[debt.receipt.number].topic] ?? []).contains { number in
            let message = history.messages[number]
            return number != debt.receipt.number && (message.isWill || message.firstSentAt ?? .zero > debt.since)
        }
    }

    package mutating func finish(at now: Instant, history: History, verdict: inout Verdict) {
        for debt in debts where (received[debt.receipt] ?? .zero) < debt.since {
            // A copy that waits for a restart gives way to what has been retained since.
            if history.lapseCount(of: debt.receipt.client, since: debt.since) > 0, isReplaced(debt, history) {
                continue
            }
            guard let session = history.currentSession(of: debt.receipt.client), session.endedAt == nil,
                session.ordinal == debt.receipt.session, !session.hasOverflowed
            else { continue }
            verdict.fail(
                .retained,
                "client \(debt.receipt.client) never got retained message \(debt.receipt.number) of "
                    + "\(history.messages[debt.receipt.number].topic)", at: now)
        }
    }
}
