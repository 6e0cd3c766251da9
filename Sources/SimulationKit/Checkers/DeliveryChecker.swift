package import MQTTModel

/// How often a session gets a message: QoS 0 at most once, QoS 1 at least once and once for each time it was sent while
/// the session is connected, QoS 2 exactly once (P1, section 4.3).
package struct DeliveryChecker: Checker {
    private struct Receipt: Hashable {
        let client: Int
        let session: Int
        let number: Int
    }
    private struct Count {
        var onConnection = 0
        var connection = -1
        /// Without DUP: each stands for another publication, not for a repetition.
        var fresh = 0
        var exactlyOnce = 0
    }
    private let profiles: [ClientProfile]
    private var counts: [Receipt: Count] = [:]

    package init(profiles: [ClientProfile]) { self.profiles = profiles }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        guard case .delivered(let who, let received) = occurrence, let number = received.number else { return }
        let receipt = Receipt(client: who.client, session: who.session, number: number)
        var count = counts[receipt] ?? Count()
        if count.connection != who.connection { count.onConnection = 0 }
        count.connection = who.connection
        count.onConnection += 1
        if !received.publish.isDuplicate { count.fresh += 1 }
        if received.publish.qos == .exactlyOnce { count.exactlyOnce += 1 }
        counts[receipt] = count

        // A crash repeats what the engine had not been told of, without DUP: only the client knows that it has had it.
        let firstSentAt = history.messages[number].firstSentAt ?? .zero
        let repeats = 1 + history.lapseCount(of: who.client, since: firstSentAt)
        let limit = allowance(for: history.messages[number], to: who, history)
        let description = "client \(who.client), message \(number), allowed \(limit)"
        switch received.publish.qos {
        case .atMostOnce where count.fresh > limit * repeats:
            verdict.fail(.qosZeroAtMostOnce, "\(description), delivered \(count.fresh) times", at: now)
        case .atLeastOnce where count.onConnection > limit:
            verdict.fail(
                .qosOneNotRepeatedWhileConnected, "\(description), delivered \(count.onConnection) times", at: now)
        case .atLeastOnce where count.fresh > limit * repeats:
            verdict.fail(.duplicateFlag, "\(description), delivered \(count.fresh) times without DUP", at: now)
        case .exactlyOnce where count.exactlyOnce > limit:
            verdict.fail(.qosTwoExactlyOnce, "\(description), delivered \(count.exactlyOnce) times", at: now)
        default: break
        }
    }

    /// How often the session may get the message as something new: once for each publication that it makes, by each of
    /// the ways that it has come to want it. A retained message comes again with each new subscription.
    private func allowance(for message: MessageRecord, to who: Attendance, _ history: History) -> Int {
        let publications = message.qos == .atLeastOnce ? max(1, message.transmissions) : 1
        guard let session = history.session(who.session, of: who.client) else { return publications }
        var isWanted = false
        var groups: Set<String> = []
        var retained = 0
        for subscription in session.subscriptions where subscription.filter.matches(message.topic) {
            if subscription.filter.isShared {
                groups.insert(subscription.filter.string)
            } else {
                isWanted = true
                if message.isRetained { retained += 1 }
            }
        }
        return publications * ((isWanted ? 1 : 0) + groups.count) + retained
    }

    package mutating func finish(at now: Instant, history: History, verdict: inout Verdict) {
        for profile in profiles where profile.maximumPacketSize == nil {
            guard let session = history.currentSession(of: profile.index), session.endedAt == nil,
                !session.hasOverflowed
            else { continue }
            for message in history.messages where isOwed(message, to: session, of: profile, history) {
                let receipt = Receipt(client: profile.index, session: session.ordinal, number: message.number)
                if counts[receipt] != nil { continue }
                verdict.fail(
                    message.qos == .atLeastOnce ? .qosOneAtLeastOnce : .qosTwoExactlyOnce,
                    "\(profile.identifier) never got message \(message.number) of client \(message.publisher) on "
                        + "\(message.topic), which was acknowledged", at: now)
            }
        }
    }

    /// Whether the session must have got the message: it was acknowledged, and a subscription was certain all the while.
    private func isOwed(
        _ message: MessageRecord, to session: SessionRecord, of profile: ClientProfile, _ history: History
    ) -> Bool {
        guard message.qos != .atMostOnce, !message.isRefused, !message.isClear, message.expiryInterval == nil,
            let sentAt = message.firstSentAt, let acknowledgedAt = message.acknowledgedAt
        else { return false }
        return session.subscriptions.contains { subscription in
            guard !subscription.filter.isShared, !subscription.isUnsubscribed, let grantedAt = subscription.grantedAt,
                grantedAt < sentAt,
                (subscription.endAskedAt ?? .distantFuture) > acknowledgedAt,
                let qos = subscription.grantedQoS, qos != .atMostOnce
            else { return false }
            let isOwn = subscription.options.noLocal && message.publisher == profile.index
            return !isOwn && subscription.filter.matches(message.topic)
        }
    }
}
