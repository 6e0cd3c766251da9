package import MQTTModel

/// Messages of one publisher on one topic and QoS arrive in the order published (P3, [MQTT-4.6.0-6]): the first
/// appearance of each counts, repetitions may come later. Not for what a new subscription got as retained, and not for
/// shared subscriptions, whose members each get a part.
package struct OrderChecker: Checker {
    private struct Stream: Hashable {
        let client: Int
        let session: Int
        let publisher: Int
        let publisherSession: Int
        let topic: String
        let publishedQoS: QoS
        let deliveredQoS: QoS
    }
    private var newest: [Stream: Int] = [:]
    private var seen: Set<[Int]> = []
    /// What came as retained may come again after a crash, by another subscription than before, and then not so.
    private var seenRetained: Set<[Int]> = []

    /// A crash forgets what the engine refused: if the client had not learned of it, it sends it again, and it is taken.
    private let hasFailingEngine: Bool

    private let isFlock: Bool

    package init(swarm: Swarm) {
        hasFailingEngine = swarm.hasFailingEngine
        isFlock = swarm.nodeCount > 1
    }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        guard case .publishReceived(let who, let received) = occurrence, let number = received.number else { return }
        if received.publish.isRetained {
            seenRetained.insert([who.client, who.session, number])
            return
        }
        if history.lapseCount(of: who.client, since: .zero) > 0 {
            // What a full queue dropped may be there again: the engine had not been told.
            if history.session(who.session, of: who.client)?.hasOverflowed == true { return }
            if seenRetained.contains([who.client, who.session, number]) { return }
        }
        let message = history.messages[number]
        // On its way to another node one with QoS 0 may go by the log, or beside it.
        if isFlock, message.qos == .atMostOnce { return }
        guard !message.isWill, !message.topic.hasPrefix("s/"),
            !mayComeLate(message, received.publish.qos, to: who, history),
            seen.insert([who.client, who.session, number]).inserted
        else { return }
        let stream = Stream(
            client: who.client, session: who.session, publisher: message.publisher,
            publisherSession: message.publisherSession, topic: message.topic, publishedQoS: message.qos,
            deliveredQoS: received.publish.qos)
        if let last = newest[stream], last > number {
            verdict.fail(
                .order, "client \(who.client) got message \(number) of \(message.topic) after \(last)", at: now)
        }
        newest[stream] = max(number, newest[stream] ?? -1)
    }

    /// Whether the session may have missed the message when it was sent first, and gets it because its publisher sent
    /// it again after a reconnect: then it may come after younger ones.
    private func mayComeLate(
        _ message: MessageRecord, _ qos: QoS, to who: Attendance, _ history: History
    ) -> Bool {
        if hasFailingEngine, !history.crashes.isEmpty, message.transmissions > 1 { return true }
        guard message.qos == .atLeastOnce, message.transmissions > 1, let firstSentAt = message.firstSentAt,
            let session = history.session(who.session, of: who.client)
        else { return false }
        return session.hasOverflowed || qos == .atMostOnce
            || session.subscriptions.contains {
                ($0.grantedAt ?? .distantFuture) > firstSentAt && $0.filter.matches(message.topic)
            }
    }
}
