import MQTTCodec
package import MQTTModel

/// What arrives is what was published, to who has asked for it: payload, topic, user properties, at most the QoS of
/// both sides, RETAIN only where it may be set [MQTT-3.3.1-8, MQTT-3.3.1-9, MQTT-3.3.2-17, MQTT-3.8.3-3].
package struct ContentChecker: Checker {
    private let profiles: [ClientProfile]
    /// Hostile clients publish too, and nobody knows what.
    private let hasHostileClients: Bool

    package init(swarm: Swarm, profiles: [ClientProfile]) {
        self.profiles = profiles
        hasHostileClients = swarm.hostileClients > 0
    }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        guard case .publishReceived(let who, let received) = occurrence, let topic = received.topic else { return }
        let publish = received.publish
        let client = profiles[who.client].identifier
        guard let number = received.number else {
            if publish.message.payloadLength > 0, !hasHostileClients {
                verdict.fail(.content, "\(client) got a payload that nobody published", at: now)
            }
            return
        }
        let message = history.messages[number]
        if !publish.message.payload.elementsEqual(message.payload) {
            verdict.fail(.content, "\(client) got message \(number) with another payload", at: now)
        }
        if topic != message.topic {
            verdict.fail(.content, "\(client) got message \(number) of \(message.topic) on \(topic)", at: now)
        }
        if publish.qos > message.qos {
            verdict.fail(.content, "\(client) got message \(number) with a higher QoS", at: now)
        }
        if publish.isRetained, !message.isRetained {
            verdict.fail(.content, "\(client) got message \(number) as retained, which it is not", at: now)
        }
        if let session = history.session(who.session, of: who.client),
            !session.subscriptions.contains(where: { isWanted(message, publish, by: $0, who) })
        {
            verdict.fail(.content, "\(client) got message \(number) of \(topic), which it never asked for", at: now)
        }
        checkProperties(of: publish, message, profile: profiles[who.client], now, &verdict)
    }

    private func isWanted(
        _ message: MessageRecord, _ publish: Publish, by subscription: SubscriptionRecord, _ who: Attendance
    ) -> Bool {
        let isOwn = subscription.options.noLocal && message.publisher == who.client
        return !isOwn && subscription.filter.matches(message.topic)
    }

    private func checkProperties(
        of publish: Publish, _ message: MessageRecord, profile: ClientProfile, _ now: Instant, _ verdict: inout Verdict
    ) {
        guard profile.version.hasProperties else { return }
        let properties = ForwardedProperties.decode(publish.message.properties)
        if properties.userProperties.first?.value != message.userProperty {
            verdict.fail(.content, "\(profile.identifier): message \(message.number) lost its user property", at: now)
        }
        switch (publish.message.expiryInterval, message.expiryInterval) {
        case (nil, nil): break
        // What was sent in time may be sent again when its time is over [MQTT-3.3.2-5].
        case (let left?, let original?) where left <= original && (left >= 1 || publish.isDuplicate): break
        case (let left, let original):
            verdict.fail(
                .content,
                "\(profile.identifier): message \(message.number) has expiry \(left.map(String.init) ?? "none"), "
                    + "published with \(original.map(String.init) ?? "none")", at: now)
        }
    }
}
