import AccessControl
import Backbone
import DequeModule
import MQTTModel
import MQTTSession

extension BrokerCore {
    /// Bytes that one step sends from a session's queue; the rest goes in the next, so that no session keeps the shard
    /// from the others, and a connection that fills up is noticed.
    static let pumpBytes = 1 << 18

    /// Gives a message to a session: sends it now, keeps it for later, or drops it, by the session's limits. What is
    /// sent is appended to `effects.recipients`; the caller ends the group.
    mutating func deliver(
        _ message: ApplicationMessage, to session: Session, qos: QoS, isRetained: Bool,
        subscriptionIdentifiers: ArraySlice<UInt32>, sequence: LogSequence = 0, isShared: Bool = false,
        at now: Instant, into effects: inout Effects
    ) {
        if session.restrictsDelivery, !mayReceive(message, session) {
            finished(sequence, qos: qos, isShared: isShared, of: session, into: &effects)
            return
        }
        if session.queue == nil, canSend(qos, to: session) {
            send(
                message, to: session, qos: qos, isRetained: isRetained,
                subscriptionIdentifiers: subscriptionIdentifiers, sequence: sequence, isShared: isShared,
                into: &effects)
            return
        }
        if qos == .atMostOnce {
            // It waits only behind retained messages, which it must not pass, and others of its kind that do; else it
            // goes now or never.
            guard session.online?.isReady == true else {
                counters.droppedNotWritable += 1
                return
            }
            if !session.holdsBackQoSZero {
                send(
                    message, to: session, qos: qos, isRetained: isRetained,
                    subscriptionIdentifiers: subscriptionIdentifiers, sequence: 0, isShared: false, into: &effects)
                return
            }
        }
        enqueue(
            message, qos: qos, isRetained: isRetained, subscriptionIdentifiers: subscriptionIdentifiers,
            sequence: sequence, isShared: isShared, for: session, into: &effects)
    }

    // `entries.count`, a stored property's: a getter in another module gets a copy of the whole window.
    func canSend(_ qos: QoS, to session: Session) -> Bool {
        guard let online = session.online, online.isReady else { return false }
        return qos == .atMostOnce
            || (session.inflight.entries.count < online.window && session.inflight.resendCount == 0)
    }

    /// Appends the recipient of a message that goes out now; nothing if the client takes no packet of its size, which
    /// counts as delivered [MQTT-3.1.2-25].
    private mutating func send(
        _ message: ApplicationMessage, to session: Session, qos: QoS, isRetained: Bool,
        subscriptionIdentifiers: ArraySlice<UInt32>, sequence: LogSequence, isShared: Bool,
        into effects: inout Effects
    ) {
        // What has nothing to note waits behind what has: it must not pass it (P3).
        if qos == .exactlyOnce, sequence > 0 || session.isDurable || session.inflight.pendingNoteCount > 0 {
            let sequence = sequence > 0 ? sequence : numberUnlogged(for: session)
            let identifier = session.inflight.append(
                message, qos: qos, isRetained: isRetained, subscriptionIdentifiers: Array(subscriptionIdentifiers),
                sequence: sequence, isShared: isShared, isNotePending: true)
            noteInflight(identifier, of: session, into: &effects)
            return
        }
        guard
            var recipient = recipient(
                of: message, for: session, qos: qos, isRetained: isRetained,
                subscriptionIdentifiers: subscriptionIdentifiers, into: &effects)
        else {
            finished(sequence, qos: qos, isShared: isShared, of: session, into: &effects)
            return
        }
        if qos != .atMostOnce {
            recipient.packetIdentifier = session.inflight.append(
                message, qos: qos, isRetained: isRetained,
                subscriptionIdentifiers: subscriptionIdentifiers.isEmpty ? [] : Array(subscriptionIdentifiers),
                sequence: sequence, isShared: isShared)
            // What is before an exchange that a restart has interrupted was sent before it [MQTT-3.3.1-1].
            recipient.isDuplicate =
                !session.interrupted.isEmpty || (!isShared && sequence > 0 && sequence <= session.sentThrough)
        }
        counters.messagesSent += 1
        effects.recipients.append(recipient)
    }

    /// A lasting session gets a message that the log does not have, for it was published before its subscription was known
    /// on the publisher's shard. It is not kept, its packet identifier must be.
    private func numberUnlogged(for session: Session) -> LogSequence {
        let wish = LogSequence.wish(session.nextWish)
        session.nextWish += 1
        session.wishes[wish] = 1
        return wish + 1
    }

    /// How the message goes to the session's connection, or nil if it is too large for the client.
    mutating func recipient(
        of message: ApplicationMessage, for session: Session, qos: QoS, isRetained: Bool,
        subscriptionIdentifiers: ArraySlice<UInt32>, into effects: inout Effects
    ) -> Recipient? {
        guard let online = session.online else { preconditionFailure("sent only to a session with a connection") }
        var recipient = Recipient(connection: online.connection, isRetained: isRetained)
        recipient.qos = qos
        if online.version == .v5_0 {
            if online.aliasMaximum > 0 || online.maximumPacketSize != nil {
                guard fit(message, to: session, &recipient, subscriptionIdentifiers) else {
                    counters.droppedTooLarge += 1
                    return nil
                }
            }
            if !subscriptionIdentifiers.isEmpty {
                recipient.firstSubscriptionIdentifier = UInt32(effects.subscriptionIdentifiers.count)
                recipient.subscriptionIdentifierCount = UInt16(subscriptionIdentifiers.count)
                effects.subscriptionIdentifiers.append(contentsOf: subscriptionIdentifiers)
            }
        }
        return recipient
    }

    /// Chooses the topic alias and holds the packet against the client's Maximum Packet Size.
    /// - Returns: whether it fits [MQTT-3.1.2-24].
    private func fit(
        _ message: ApplicationMessage, to session: Session, _ recipient: inout Recipient,
        _ subscriptionIdentifiers: ArraySlice<UInt32>
    ) -> Bool {
        var aliases = session.sentAliases
        let maximum = session.online?.maximumPacketSize
        let (alias, isKnown) = aliases.maximum > 0 ? aliases.alias(for: message.topic) : (0, false)
        func layout(alias: UInt16, omitsTopic: Bool) -> PublishLayout {
            PublishLayout(
                message: message, version: .v5_0, qos: recipient.qos, omitsTopic: omitsTopic, hasTopicAlias: alias != 0,
                hasExpiry: message.expiryInterval != nil, subscriptionIdentifiers: subscriptionIdentifiers)
        }
        if maximum.map({ layout(alias: alias, omitsTopic: isKnown).packetLength <= $0 }) ?? true {
            recipient.topicAlias = alias
            recipient.omitsTopic = isKnown
            session.sentAliases = aliases
            return true
        }
        // Defining an alias makes this packet longer: without it, it may fit.
        return !isKnown && layout(alias: 0, omitsTopic: false).packetLength <= maximum ?? .max
    }

    /// Sends what may be sent of a session: first what an earlier connection left unacknowledged, in its order
    /// [MQTT-4.4.0-1, MQTT-4.6.0-1], then what waits.
    /// - Returns: the bytes that go out, about.
    @discardableResult
    mutating func pump(_ session: Session, at now: Instant, into effects: inout Effects) -> Int {
        var budget = BrokerCore.pumpBytes
        while let online = session.online, online.isReady, budget > 0,
            let next = session.inflight.nextToResend(window: online.window)
        {
            if next.isReleased {
                guard bringBack(next, of: session, into: &effects) else { break }
                continue
            }
            guard let entry = session.inflight.takeNextToResend(window: online.window) else { break }
            budget -= resend(entry, to: session, at: now, into: &effects)
        }
        if session.queue != nil { sendQueued(of: session, budget: &budget, at: now, into: &effects) }
        if budget <= 0 {
            arm(.pump(slot: session.slot, generation: session.generation), at: now)
        }
        return BrokerCore.pumpBytes - budget
    }

    /// Sends from the front of the queue what the window and the budget have room for, as far as it is at hand.
    private mutating func sendQueued(
        of session: Session, budget: inout Int, at now: Instant, into effects: inout Effects
    ) {
        guard let queue = session.queue else { return }
        let heldBackQoSZero = session.holdsBackQoSZero
        sending: while budget > 0, let next = queue.first, canSend(next.qos, to: session) {
            let exchange = session.interrupted.first.flatMap { $0.isOf(next) ? $0 : nil }
            if exchange?.isAnswered == true {
                leaveUnsent(next, session, into: &effects)
                queue.removeFirst()
                continue
            }
            let message: ApplicationMessage
            switch content(of: next, in: queue) {
            case .message(let found): message = found
            case .gone:
                dropFirst(of: queue, session, \.droppedByRetention, into: &effects)
                continue
            case .unknown:
                requestFetch(for: session, into: &effects)
                break sending
            }
            // Not started yet, so expiry ends it [MQTT-3.3.2-5].
            if exchange == nil, message.isExpired(at: now) {
                dropFirst(of: queue, session, \.droppedExpired, into: &effects)
                continue
            }
            if session.access?.permitReceiving(message.topic) == false {
                dropFirst(of: queue, session, \.deliveriesDenied, into: &effects)
                continue
            }
            let identifiers = queue.identifiers(of: next)
            queue.removeFirst()
            budget -= message.byteCount + 16
            if let exchange {
                takeUp(exchange, next, message, identifiers, of: session, at: now, into: &effects)
                continue
            }
            let start = effects.recipients.count
            send(
                message, to: session, qos: next.qos, isRetained: next.isRetained,
                subscriptionIdentifiers: identifiers[...], sequence: next.sequence, isShared: next.isShared,
                into: &effects)
            effects.publish(message, toRecipientsFrom: start, at: now)
        }
        if queue.isEmpty { session.queue = nil }
        if heldBackQoSZero, !session.holdsBackQoSZero { sessions.updatePath(of: session) }
    }

    /// A message whose exchange a restart has interrupted goes out under the identifier that it had.
    private mutating func takeUp(
        _ exchange: InterruptedExchange, _ entry: QueuedEntry, _ message: ApplicationMessage, _ identifiers: [UInt32],
        of session: Session, at now: Instant, into effects: inout Effects
    ) {
        session.interrupted.removeFirst()
        let inflight = session.inflight.takeUp(
            message, packetIdentifier: exchange.packetIdentifier, isRetained: entry.isRetained,
            subscriptionIdentifiers: identifiers, sequence: entry.sequence, isShared: entry.isShared)
        if mustWaitForEarlier(inflight, of: session) {
            noteInflight(inflight.packetIdentifier, of: session, into: &effects)
        } else {
            sendInflight(inflight, to: session, at: now, into: &effects)
        }
    }

    /// Whether a message that is earlier in the log waits for its note, which a crash has lost: then this one, whose note
    /// it has not lost, has not been sent before it either and is noted once more, to stay behind it (P3).
    private func mustWaitForEarlier(_ entry: InflightMessage, of session: Session) -> Bool {
        guard session.inflight.pendingNoteCount > 0, entry.sequence < .firstCopy, !entry.isShared else { return false }
        return session.inflight.entries.contains {
            $0.note == .pending && $0.isUnsent && !$0.isShared && $0.sequence < entry.sequence
        }
    }

    /// Takes up an unfinished exchange on a new connection. What has to be noted first is sent when it is.
    /// - Returns: the bytes that go out, about.
    private mutating func resend(
        _ entry: InflightMessage, to session: Session, at now: Instant, into effects: inout Effects
    ) -> Int {
        switch entry.note {
        case .settled: sendInflight(entry, to: session, at: now, into: &effects)
        case .pending: return 0
        case .needed: noteInflight(entry.packetIdentifier, of: session, into: &effects)
        }
        return (entry.message?.byteCount ?? 0) + 16
    }

    /// Sends what is next of an exchange in the window: PUBLISH, with DUP if it is a repetition [MQTT-3.3.1-1], or PUBREL.
    mutating func sendInflight(
        _ entry: InflightMessage, to session: Session, at now: Instant, into effects: inout Effects
    ) {
        guard let online = session.online else { return }
        guard entry.phase != .awaitingPubComp, let message = entry.message else {
            effects.all.append(.acknowledge(online.connection, .pubRel, entry.packetIdentifier, .success))
            return
        }
        // Its time ended while the backbone noted it: delivery has not begun [MQTT-3.3.2-5].
        if entry.isUnsent, message.isExpired(at: now) {
            counters.droppedExpired += 1
            session.inflight.abandon(entry.packetIdentifier)
            finished(entry, of: session, into: &effects)
            return
        }
        let start = effects.recipients.count
        guard
            var recipient = recipient(
                of: message, for: session, qos: entry.qos, isRetained: entry.isRetained,
                subscriptionIdentifiers: entry.subscriptionIdentifiers[...], into: &effects)
        else {
            session.inflight.abandon(entry.packetIdentifier)
            finished(entry, of: session, into: &effects)
            return
        }
        recipient.packetIdentifier = entry.packetIdentifier
        recipient.isDuplicate = !entry.isUnsent
        if entry.isUnsent { session.inflight.published(entry.packetIdentifier) }
        counters.messagesSent += 1
        effects.recipients.append(recipient)
        effects.publish(message, toRecipientsFrom: start, at: now)
    }

    mutating func writabilityChanged(
        of connection: ConnectionID, to isWritable: Bool, at now: Instant, into effects: inout Effects
    ) {
        guard let slot = connections.session(of: connection), let session = sessions.slots[slot] else { return }
        session.online?.isWritable = isWritable
        sessions.updatePath(of: session)
        if isWritable { pump(session, at: now, into: &effects) }
    }
}
