import MQTTCodec
import MQTTModel
import MQTTSession

// What a client does when it is its turn.
extension SimulatedClient {
    /// One action, by the weights of the run.
    func act() {
        guard profile.role == .ordinary else { return actAsWitness() }
        guard session.isConnected else {
            if link == nil, simulation.hasUsableNode { connect(cleanStart: wantsCleanStart()) }
            return
        }
        guard !simulation.hasHealed else { return }
        let swarm = simulation.swarm
        let actions: [(Int, () -> Void)] = [
            (swarm.publishWeight, publish), (swarm.subscribeWeight, subscribe), (swarm.unsubscribeWeight, unsubscribe),
            (swarm.disconnectWeight, disconnectInOrder), (swarm.resetWeight, reset), (swarm.vanishWeight, vanish),
            (swarm.stallWeight, stall), (swarm.idleWeight, {}),
        ]
        var rest = random.integer(in: 0...(actions.reduce(0) { $0 + $1.0 } - 1))
        for (weight, action) in actions {
            if rest < weight { return action() }
            rest -= weight
        }
    }

    /// Connects, and subscribes to everything.
    private func actAsWitness() {
        if profile.role == .auditor, !simulation.isAuditing { return }
        if link == nil {
            if simulation.hasUsableNode { connect(cleanStart: false) }
            return
        }
        guard session.isConnected, currentSubscriptions.isEmpty else { return }
        subscribe(to: "#", SubscriptionOptions(maximumQoS: .exactlyOnce))
    }

    private func wantsCleanStart() -> Bool {
        if awaitsCleanStart, !simulation.history.crashes.isEmpty || simulation.flock != nil { return true }
        if !profile.version.hasProperties, !profile.isPersistent { return true }
        return !simulation.hasHealed && random.chance(5)
    }

    // MARK: Connection

    func makeConnect(cleanStart: Bool) -> Connect {
        var connect = Connect(
            version: profile.version, clientIdentifier: profile.identifier, cleanStart: cleanStart,
            keepAlive: profile.keepAlive)
        if profile.role == .ordinary, !simulation.hasHealed, random.chance(simulation.swarm.willPercent) {
            connect.will = makeWill()
        }
        guard profile.version.hasProperties else { return connect }
        var properties = Properties()
        if profile.sessionExpiryInterval > 0 {
            properties.append(.sessionExpiryInterval(profile.sessionExpiryInterval))
        }
        if profile.receiveMaximum < .max { properties.append(.receiveMaximum(profile.receiveMaximum)) }
        if let maximum = profile.maximumPacketSize { properties.append(.maximumPacketSize(maximum)) }
        if profile.topicAliasMaximum > 0 { properties.append(.topicAliasMaximum(profile.topicAliasMaximum)) }
        if random.chance(30) { properties.append(.requestProblemInformation(0)) }
        connect.properties = properties
        return connect
    }

    private func makeWill() -> Will {
        let qos = random.pick(QoS.allCases)
        let isRetained = random.chance(30)
        let message = simulation.makeMessage(
            from: self, topic: "w/\(profile.index)", qos: qos, isRetained: isRetained, isWill: true)
        return Will(
            message: message, delayInterval: profile.version.hasProperties ? random.pick([0, 0, 1, 3]) : 0)
    }

    private func disconnectInOrder() {
        let withWill = profile.version.hasProperties && random.chance(30)
        disconnect(Disconnect(reasonCode: withWill ? .disconnectWithWill : .normalDisconnection))
    }

    private func reset() { breakConnection(noticedAfter: .milliseconds(random.integer(in: 0...5))) }

    /// Goes away without the broker noticing it: it sees the client again before it sees the end of its connection.
    private func vanish() { breakConnection(noticedAfter: .milliseconds(random.integer(in: 50...3000))) }

    /// Reads no more for a while.
    private func stall() {
        guard let link else { return }
        simulation.links[link].isStalled = true
        session.readingPaused()
        simulation.schedule(.unstall(profile.index, link), after: .milliseconds(random.integer(in: 1...1500)))
    }

    func unstall(_ index: Int) {
        simulation.links[index].isStalled = false
        guard link == index else { return }
        perform { session, now, _ in session.readingResumed(at: now) }
    }

    // MARK: Publishing

    private func publish() {
        let topics = simulation.swarm.topicCount
        let isShared = random.chance(simulation.swarm.sharedPercent)
        let topic = "\(isShared ? "s" : "t")/\(random.integer(in: 0...(topics - 1)))"
        let isRetained = random.chance(simulation.swarm.retainedPercent)
        let message = simulation.makeMessage(
            from: self, topic: topic, qos: random.pick(QoS.allCases), isRetained: isRetained, isWill: false)
        // A full queue and a lost connection are no news here.
        try? perform { session, now, actions in _ = try session.publish(message, at: now, into: &actions) }
    }

    // MARK: Subscribing

    private var currentSubscriptions: [SubscriptionRecord] {
        simulation.history.session(sessionOrdinal, of: profile.index)?.subscriptions.filter { $0.endAskedAt == nil }
            ?? []
    }

    private func subscribe() {
        let ordinary = ["t/#", "t/+", "t/0", "w/#"]
        var filters = profile.isGroupMember ? ordinary : ordinary + ["#", "+/0", "t/0/#", "s/+"]
        if profile.isGroupMember { filters += ["$share/a/s/#", "$share/b/s/+"] }
        let filter = random.pick(filters)
        var options = SubscriptionOptions(maximumQoS: random.pick(QoS.allCases))
        if profile.version.hasProperties {
            options.noLocal = !filter.hasPrefix("$share/") && random.chance(10)
            options.retainAsPublished = random.chance(30)
            options.retainHandling = random.pick([
                .sendAtSubscribe, .sendAtSubscribe, .sendIfNewSubscription, .doNotSend,
            ])
        }
        subscribe(to: filter, options)
    }

    private func subscribe(to string: String, _ options: SubscriptionOptions) {
        guard let filter = TopicFilter(string) else { return }
        let now = simulation.now
        let isRepeat = endSubscription(to: string, isUnsubscribed: false)
        let record = SubscriptionRecord(filter: filter, options: options, isRepeat: isRepeat, sentAt: now)
        var properties = Properties()
        if profile.version.hasProperties, random.chance(50) { properties.append(.subscriptionIdentifier(7)) }
        var index = 0
        simulation.history.update(session: sessionOrdinal, of: profile.index) {
            index = $0.subscriptions.count
            $0.subscriptions.append(record)
        }
        try? perform { session, now, actions in
            let token = try session.subscribe(
                [Subscribe.Entry(filter: string, options: options)], properties: properties, at: now, into: &actions)
            subscribing[token] = (sessionOrdinal, index)
        }
    }

    func subscribed(_ token: RequestToken, _ reasonCode: ReasonCode) {
        guard let (ordinal, index) = subscribing.removeValue(forKey: token), !reasonCode.isError else { return }
        let now = simulation.now
        var record: SubscriptionRecord?
        simulation.history.update(session: ordinal, of: profile.index) {
            $0.subscriptions[index].grantedAt = now
            $0.subscriptions[index].grantedQoS = QoS(rawValue: reasonCode.rawValue)
            record = $0.subscriptions[index]
        }
        if let record { simulation.observe(.subscribed(attendance, record)) }
    }

    private func unsubscribe() {
        guard let filter = currentSubscriptions.map(\.filter.string).randomElement(using: &random) else { return }
        _ = endSubscription(to: filter, isUnsubscribed: true)
        try? perform { session, now, actions in _ = try session.unsubscribe([filter], at: now, into: &actions) }
    }

    /// From now on the subscription is no longer certain.
    /// - Returns: whether there was one.
    private func endSubscription(to filter: String, isUnsubscribed: Bool) -> Bool {
        let now = simulation.now
        var existed = false
        simulation.history.update(session: sessionOrdinal, of: profile.index) { session in
            for index in session.subscriptions.indices where session.subscriptions[index].filter.string == filter {
                existed = existed || !session.subscriptions[index].isUnsubscribed
                session.subscriptions[index].endAskedAt = session.subscriptions[index].endAskedAt ?? now
                if isUnsubscribed { session.subscriptions[index].isUnsubscribed = true }
            }
        }
        return existed
    }
}
