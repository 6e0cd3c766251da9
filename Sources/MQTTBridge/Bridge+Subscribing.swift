import MQTTModel

// What is done once both brokers have accepted the bridge.
extension Bridge {
    mutating func beginRelaying(at now: Instant, into actions: inout [BridgeAction]) {
        phase = .relaying(since: now)
        isComplete = false
        for source in BridgeSide.allCases {
            let target = source.other
            // A new session of the source gives identifiers from the beginning, and the target's may remember them.
            if !self[target].limits.isSessionPresent {
                self[target].needsRelease = false
            } else if !self[source].limits.isSessionPresent, passesExactlyOnce(from: source) {
                self[target].needsRelease = true
            }
            if self[target].needsRelease {
                self[target].releasing = Releasing()
                releaseMore(at: target, at: now, into: &actions)
            } else {
                subscribe(at: source, at: now, into: &actions)
            }
        }
        reportCompletion(into: &actions)
    }

    /// Says once for each link that both brokers know what the bridge wants: from then on nothing is missed, whatever
    /// becomes of the link.
    private mutating func reportCompletion(into actions: inout [BridgeAction]) {
        let isWaiting = BridgeSide.allCases.contains { self[$0].needsRelease || !self[$0].subscribes.isEmpty }
        guard !isComplete, !isWaiting else { return }
        isComplete = true
        counters.connections += 1
        actions.append(
            .report(
                .connected(
                    isLocalSessionPresent: local.limits.isSessionPresent,
                    isRemoteSessionPresent: remote.limits.isSessionPresent)))
    }

    private func passesExactlyOnce(from source: BridgeSide) -> Bool {
        options.topics.contains { $0.passes(from: source) && $0.maximumQoS == .exactlyOnce }
    }

    // MARK: Releasing what a lost session left behind

    /// Until they are all answered nothing is subscribed to at the other broker, so no message is under way.
    private mutating func releaseMore(at side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]) {
        guard var releasing = self[side].releasing else { return }
        while releasing.next != 0, releasing.unanswered < Releasing.batch {
            send(.acknowledgement(Acknowledgement(.pubRel, releasing.next)), to: side, at: now, into: &actions)
            releasing.next &+= 1
            releasing.unanswered += 1
        }
        self[side].releasing = releasing
    }

    /// PUBCOMP to one of the releases.
    mutating func released(at side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]) {
        guard var releasing = self[side].releasing, releasing.unanswered > 0 else { return }
        releasing.unanswered -= 1
        self[side].releasing = releasing
        if releasing.isDone {
            self[side].releasing = nil
            self[side].needsRelease = false
            subscribe(at: side.other, at: now, into: &actions)
            reportCompletion(into: &actions)
        } else if releasing.unanswered <= Releasing.batch / 2 {
            releaseMore(at: side, at: now, into: &actions)
        }
    }

    // MARK: Subscribing

    /// Filters in one SUBSCRIBE.
    private static let groupSize = 32

    private mutating func subscribe(at side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]) {
        let topics = options.topics.filter { $0.passes(from: side) }
        // From above, where the identifiers of messages, which the other broker chooses, come late.
        var packetIdentifier = PacketIdentifier.max
        for start in stride(from: 0, to: topics.count, by: Self.groupSize) {
            let group = topics[start..<min(start + Self.groupSize, topics.count)]
            let entries = group.map {
                Subscribe.Entry(filter: $0.filter(at: side), options: subscription($0, at: side))
            }
            while self[side].window.inflight.contains(packetIdentifier) { packetIdentifier -= 1 }
            self[side].subscribes[packetIdentifier] = entries.map(\.filter)
            self[side].window.reserved.insert(packetIdentifier)
            let packet = Subscribe(packetIdentifier: packetIdentifier, entries: entries)
            send(.subscribe(packet), to: side, at: now, into: &actions)
            packetIdentifier -= 1
        }
    }

    /// What the bridge has sent does not come back, RETAIN stays what it was, and retained messages come once; all of
    /// them again when the other broker has lost the session, as it may have lost them, too.
    private func subscription(_ topic: BridgeTopic, at side: BridgeSide) -> SubscriptionOptions {
        SubscriptionOptions(
            maximumQoS: min(topic.maximumQoS, self[side.other].limits.maximumQoS), noLocal: true,
            retainAsPublished: true,
            retainHandling: self[side.other].limits.isSessionPresent ? .sendIfNewSubscription : .sendAtSubscribe)
    }

    mutating func subscribed(
        _ packet: SubAck, by side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]
    ) {
        guard let filters = self[side].subscribes.removeValue(forKey: packet.packetIdentifier) else { return }
        for (filter, reasonCode) in zip(filters, packet.reasonCodes) where reasonCode.isError {
            actions.append(.report(.subscriptionRefused(side, filter: filter, reasonCode)))
        }
        self[side].window.reserved.remove(packet.packetIdentifier)
        sendPending(to: side, at: now, into: &actions)
        reportCompletion(into: &actions)
    }
}
