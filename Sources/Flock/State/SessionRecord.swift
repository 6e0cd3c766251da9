package import Backbone
package import MQTTModel

/// What the log says of one session: its changes, added up.
package struct SessionRecord: Sendable {
    package let clientIdentifier: String
    /// The node that has it.
    package var owner: ExactText
    package private(set) var expiryInterval: UInt32 = 0
    /// Milliseconds since 1970; nil: connected.
    package private(set) var disconnectedAt: UInt64?
    package private(set) var will: Will?
    /// Milliseconds since 1970, once its delay runs.
    package private(set) var willDueAt: UInt64?
    package private(set) var subscriptions: [RestoredSession.Subscription] = []
    /// Ascending.
    package private(set) var received: [PacketIdentifier] = []
    package private(set) var sent: [RestoredSession.Sent] = []
    package private(set) var wishes: [RestoredSession.Wish] = []
    package private(set) var cursor: LogSequence

    /// - Parameter position: where the log was when the session began.
    package init(clientIdentifier: String, owner: ExactText, at position: LogSequence) {
        self.clientIdentifier = clientIdentifier
        self.owner = owner
        cursor = position
    }

    /// Adds a change that the owner wrote.
    ///
    /// - Parameters:
    ///   - position: the change's place in the log.
    ///   - now: milliseconds since 1970, when it was written.
    package mutating func apply(_ change: SessionChange, at position: LogSequence, now: UInt64) {
        switch change {
        case .began, .ended, .groupFinished: break
        case .connected(_, let expiryInterval, let will):
            self.expiryInterval = expiryInterval
            disconnectedAt = nil
            self.will = will
            willDueAt = nil
        case .disconnected(_, let expiryInterval, let willDelay):
            self.expiryInterval = expiryInterval
            disconnectedAt = now
            if let willDelay { willDueAt = now + UInt64(willDelay) * 1000 } else { will = nil }
        case .subscribed(_, let filter, let options, let identifier, let since, let messagesWait):
            let subscription = RestoredSession.Subscription(
                filter: filter, options: options, identifier: identifier, since: since)
            subscribe(subscription, messagesWait: messagesWait)
        case .unsubscribed(_, let filter, let through):
            guard let old = removeStanding(filter), let through else { return }
            keep(old, until: through)
        case .wished(_, let wish): wishes.append(.init(wish, since: position, position: position))
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
        sent.removeAll { $0.exchange.sequence <= cursor }
        subscriptions.removeAll { $0.until.map { $0 <= cursor } ?? false }
    }
}

extension SessionRecord {
    /// The session as its node takes it up at `now`, milliseconds since 1970.
    package func restored(at now: UInt64) -> RestoredSession {
        var restored = RestoredSession(clientIdentifier: clientIdentifier)
        restored.expiryInterval = expiryInterval
        if expiryInterval != .max {
            restored.expiresIn = SessionRecord.seconds(
                until: (disconnectedAt ?? now) + UInt64(expiryInterval) * 1000, at: now)
        }
        if let will {
            restored.will = Will(
                message: will.message.copy(withTopic: will.message.topic), delayInterval: will.delayInterval)
            restored.willDueIn = willDueAt.map { SessionRecord.seconds(until: $0, at: now) }
        }
        restored.subscriptions = subscriptions
        restored.received = received
        restored.sent = sent.filter { $0.exchange.sequence > cursor }
        restored.wishes = wishes
        restored.cursor = cursor
        return restored
    }

    /// Whole seconds, upwards.
    private static func seconds(until due: UInt64, at now: UInt64) -> UInt32 {
        due <= now ? 0 : UInt32(clamping: (due - now + 999) / 1000)
    }
}
