package import MQTTModel

/// Of each shared subscription one member gets a message (5.0 section 4.8.2, [MQTT-4.8.2-4], [MQTT-4.8.2-5]). A member
/// has no other subscription to these topics, so what members get is what their groups got.
package struct SharedSubscriptionChecker: Checker {
    private let profiles: [ClientProfile]
    /// By message: how often a member got it as something new.
    private var fresh: [Int: Int] = [:]
    /// The same, with QoS 2 alone.
    private var freshExactlyOnce: [Int: Int] = [:]
    private var delivered: Set<Int> = []
    private var hasLostMember = false
    /// A group whose lasting members have no room in their queues takes no message, and no single session overflows by
    /// that.
    private let mayHaveNoRoom: Bool

    package init(swarm: Swarm, profiles: [ClientProfile]) {
        self.profiles = profiles
        mayHaveNoRoom = swarm.hasShortQueue
    }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        switch occurrence {
        case .disconnected(let who, _): hasLostMember = hasLostMember || profiles[who.client].isGroupMember
        case .delivered(let who, let received) where profiles[who.client].isGroupMember:
            guard let number = received.number, history.messages[number].topic.hasPrefix("s/") else { return }
            delivered.insert(number)
            if received.publish.isDuplicate { return }
            fresh[number, default: 0] += 1
            if received.publish.qos == .exactlyOnce { freshExactlyOnce[number, default: 0] += 1 }
            check(number, received.publish.qos, at: now, history, &verdict)
        default: break
        }
    }

    private func check(_ number: Int, _ qos: QoS, at now: Instant, _ history: History, _ verdict: inout Verdict) {
        let message = history.messages[number]
        // With QoS 1 a message may go to another member when the first has lost its connection or its session.
        if qos == .atLeastOnce, hasLostMember { return }
        let publications = message.qos == .atLeastOnce ? max(1, message.transmissions) : 1
        let allowed = publications * groups(matching: message.topic, history).count
        // A crash may repeat to one member what another got with QoS 1.
        let isRepeatable = history.crashCount(since: message.firstSentAt ?? .zero) > 0
        let count = (isRepeatable ? freshExactlyOnce : fresh)[number] ?? 0
        if count > allowed {
            verdict.fail(
                .sharedSubscription, "members got message \(number) \(count) times, allowed \(allowed)", at: now)
        }
    }

    private func groups(matching topic: String, _ history: History) -> Set<String> {
        var groups: Set<String> = []
        for profile in profiles where profile.isGroupMember {
            for session in history.sessions[profile.index] {
                for subscription in session.subscriptions
                where subscription.filter.isShared && subscription.filter.matches(topic) {
                    groups.insert(subscription.filter.string)
                }
            }
        }
        return groups
    }

    package mutating func finish(at now: Instant, history: History, verdict: inout Verdict) {
        let members = profiles.filter(\.isGroupMember)
        // Only a member that never went for good gives what it was chosen for.
        let areReliable = members.allSatisfy { member in
            history.sessions[member.index].count == 1 && history.sessions[member.index].last?.endedAt == nil
                && history.sessions[member.index].last?.hasOverflowed == false && member.maximumPacketSize == nil
                && history.sessions[member.index].allSatisfy {
                    $0.subscriptions.allSatisfy {
                        !$0.filter.isShared || (!$0.isUnsubscribed && $0.grantedQoS != .atMostOnce)
                    }
                }
        }
        guard !members.isEmpty, areReliable, !mayHaveNoRoom else { return }
        for message in history.messages where message.topic.hasPrefix("s/") && !delivered.contains(message.number) {
            guard message.qos != .atMostOnce, !message.isClear, !message.isRefused, message.expiryInterval == nil,
                let sentAt = message.firstSentAt, message.acknowledgedAt != nil
            else { continue }
            let isOwed = members.contains { member in
                history.currentSession(of: member.index)?.subscriptions.contains {
                    $0.filter.isShared && $0.filter.matches(message.topic) && ($0.grantedAt ?? .distantFuture) < sentAt
                } ?? false
            }
            if isOwed { verdict.fail(.sharedSubscription, "no member got message \(message.number)", at: now) }
        }
    }
}
