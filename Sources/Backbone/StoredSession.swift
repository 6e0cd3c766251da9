package import MQTTModel

/// What a lasting engine knows of one session: its changes, added up. For engines that hold it in memory; the embedded one
/// holds the same in tables.
package struct StoredSession: Sendable {
    package let clientIdentifier: String
    package private(set) var expiryInterval: UInt32 = 0
    /// nil: connected.
    package private(set) var disconnectedAt: Instant?
    package private(set) var will: Will?
    /// Once its delay runs.
    package private(set) var willDueAt: Instant?
    package private(set) var subscriptions: [RestoredSession.Subscription] = []
    /// Ascending.
    package private(set) var received: [PacketIdentifier] = []
    package private(set) var sent: [RestoredSession.Sent] = []
    package private(set) var wishes: [RestoredSession.Wish] = []
    package private(set) var cursor: LogSequence
    /// Where the log was when its client was last disconnected: nothing above has been sent since.
    package private(set) var disconnectedPlace: LogSequence = 0

    /// - Parameter sequence: where the log was when the session began.
    package init(clientIdentifier: String, since sequence: LogSequence) {
        self.clientIdentifier = clientIdentifier
        cursor = sequence
    }

    /// A session whose parts are known.
    package init(
        clientIdentifier: String, expiryInterval: UInt32, disconnectedAt: Instant?, disconnectedPlace: LogSequence,
        will: Will?, willDueAt: Instant?, subscriptions: [RestoredSession.Subscription], received: [PacketIdentifier],
        sent: [RestoredSession.Sent], wishes: [RestoredSession.Wish], cursor: LogSequence
    ) {
        self.clientIdentifier = clientIdentifier
        self.expiryInterval = expiryInterval
        self.disconnectedAt = disconnectedAt
        self.disconnectedPlace = disconnectedPlace
        self.will = will
        self.willDueAt = willDueAt
        self.subscriptions = subscriptions
        self.received = received
        self.sent = sent
        self.wishes = wishes
        self.cursor = cursor
    }

    /// Adds a change of this session. Its beginning and its end are for who holds it.
    ///
    /// - Parameters:
    ///   - sequence: where the log is.
    ///   - position: of a wish, if it is one, among what is retained.
    ///   - now: by any clock, as long as it is the same for all calls.
    package mutating func apply(
        _ change: SessionChange, at sequence: LogSequence, position: RetainedPosition, now: Instant
    ) {
        switch change {
        case .began, .ended, .departed, .groupFinished, .groupPassed: break
        case .connected(_, let expiryInterval, let will):
            self.expiryInterval = expiryInterval
            disconnectedAt = nil
            self.will = will
            willDueAt = nil
        case .disconnected(_, let expiryInterval, let willDelay):
            self.expiryInterval = expiryInterval
            disconnectedAt = now
            disconnectedPlace = sequence
            if let willDelay { willDueAt = now.advanced(seconds: willDelay) } else { will = nil }
        case .subscribed(_, let filter, let options, let identifier, let since, let messagesWait):
            let subscription = RestoredSession.Subscription(
                filter: filter, options: options, identifier: identifier, since: since)
            subscribe(subscription, messagesWait: messagesWait)
        case .unsubscribed(_, let filter, let through):
            guard let old = removeStanding(filter), let through else { return }
            keep(old, until: through)
        case .wished(_, let wish): wishes.append(.init(wish, since: sequence, position: position))
        case .fulfilled(_, let wish):
            wishes.removeAll { $0.wish.number == wish }
            sent.removeAll { $0.exchange.sequence >= .firstCopy && $0.exchange.sequence.wish == wish }
        case .released(let exchange): received.removeAll { $0 == exchange.packetIdentifier }
        case .sending(_, let exchange, let packetIdentifier, let topic):
            sent.removeAll { $0.exchange == exchange }
            sent.append(.init(exchange, packetIdentifier: packetIdentifier, phase: .sending, topic: topic))
        case .handedOver(_, let exchange): setPhase(.handedOver, of: exchange)
        case .finished(_, let exchange): finish(exchange)
        case .advanced(_, let through): advance(through: through)
        }
    }

    /// A QoS 2 message that the client published is in the log.
    package mutating func receive(_ packetIdentifier: PacketIdentifier) {
        let index = received.firstIndex { $0 >= packetIdentifier } ?? received.count
        if index == received.count || received[index] != packetIdentifier {
            received.insert(packetIdentifier, at: index)
        }
    }

    /// Its will is published.
    package mutating func willPublished() {
        will = nil
        willDueAt = nil
    }

    /// The process is gone that had its connection, if it had one: what counts from the end of that does from here.
    package mutating func connectionLost(at now: Instant) {
        guard disconnectedAt == nil else { return }
        disconnectedAt = now
        willDueAt = will.map { now.advanced(seconds: $0.delayInterval) }
    }

    private mutating func subscribe(_ subscription: RestoredSession.Subscription, messagesWait: Bool) {
        guard let old = removeStanding(subscription.filter) else {
            subscriptions.append(subscription)
            return
        }
        var oldOptions = old.options
        oldOptions.retainHandling = subscription.options.retainHandling
        let isSame = oldOptions == subscription.options && old.identifier == subscription.identifier
        if !isSame, messagesWait { keep(old, until: subscription.since) }
        subscriptions.append(
            .init(
                filter: old.filter, options: subscription.options, identifier: subscription.identifier,
                since: isSame ? old.since : max(old.since, subscription.since)))
    }

    private mutating func removeStanding(_ filter: String) -> RestoredSession.Subscription? {
        let exact = ExactText(filter)
        guard let index = subscriptions.firstIndex(where: { $0.until == nil && ExactText($0.filter) == exact }) else {
            return nil
        }
        return subscriptions.remove(at: index)
    }

    private mutating func keep(_ old: RestoredSession.Subscription, until: LogSequence) {
        guard old.since < until else { return }
        subscriptions.append(
            .init(
                filter: old.filter, options: old.options, identifier: old.identifier, since: old.since, until: until))
    }

    private mutating func setPhase(_ phase: RestoredSession.Sent.Phase, of exchange: SentExchange) {
        guard let index = sent.firstIndex(where: { $0.exchange == exchange }) else { return }
        let old = sent[index]
        sent[index] = .init(exchange, packetIdentifier: old.packetIdentifier, phase: phase, topic: old.topic)
    }

    private mutating func finish(_ exchange: SentExchange) {
        if exchange.group != nil {
            sent.removeAll { $0.exchange == exchange }
        } else if exchange.sequence < .firstCopy, !sent.contains(where: { $0.exchange == exchange }) {
            sent.append(.init(exchange, packetIdentifier: 0, phase: .finished))
        } else {
            setPhase(.finished, of: exchange)
        }
    }

    private mutating func advance(through: LogSequence) {
        cursor = max(cursor, through)
        sent.removeAll { !$0.isUnfinished(above: cursor) }
        subscriptions.removeAll { $0.until.map { $0 <= cursor } ?? false }
    }
}

extension StoredSession {
    /// The session as it is taken up at `now`.
    package func restored(at now: Instant) -> RestoredSession {
        var restored = RestoredSession(clientIdentifier: clientIdentifier)
        restored.expiryInterval = expiryInterval
        if expiryInterval != .max {
            let end = (disconnectedAt ?? now).advanced(seconds: expiryInterval)
            restored.expiresIn = end.wholeSeconds(from: now)
        }
        if let will {
            restored.will = Will(
                message: will.message.copy(withTopic: will.message.topic), delayInterval: will.delayInterval)
            restored.willDueIn = willDueAt?.wholeSeconds(from: now)
        }
        restored.subscriptions = subscriptions
        restored.received = received
        restored.sent = sent.filter { $0.isUnfinished(above: cursor) }
        restored.wishes = wishes
        restored.cursor = cursor
        restored.sentThrough = disconnectedAt == nil ? .max : disconnectedPlace
        return restored
    }
}

extension Instant {
    /// Whole seconds until here, upwards; 0 when it has come.
    package func wholeSeconds(from now: Instant) -> UInt32 {
        self <= now ? 0 : UInt32(clamping: (nanoseconds - now.nanoseconds + 999_999_999) / 1_000_000_000)
    }
}
