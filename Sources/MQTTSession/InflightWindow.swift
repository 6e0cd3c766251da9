package import DequeModule
package import MQTTModel

/// A QoS 1 or 2 message that was sent and is not finished.
package struct InflightMessage: Sendable {
    /// What the receiver has to answer next.
    package enum Phase: UInt8, Sendable, Hashable {
        /// PUBLISH QoS 1 sent. Can transition to: finished, by PUBACK.
        case awaitingPubAck
        /// PUBLISH QoS 2 sent. Can transition to: `awaitingPubComp`, by PUBREC; finished, by a PUBREC that refuses.
        case awaitingPubRec
        /// PUBREL sent. Can transition to: finished, by PUBCOMP.
        case awaitingPubComp
    }

    /// Whether something has to be noted of the entry before its packet may be sent.
    package enum Note: UInt8, Sendable, Hashable {
        /// Nothing, or it is noted.
        case settled
        /// The answer is awaited: whoever gets it sends the packet.
        case pending
        /// It failed: to be noted again when the packet is due.
        case needed
    }

    /// nil once PUBREC has come: the message is the receiver's, only the identifier is left [MQTT-4.3.3-7]; and nil while
    /// it is released.
    package internal(set) var message: ApplicationMessage?
    package let subscriptionIdentifiers: [UInt32]
    package let packetIdentifier: PacketIdentifier
    package internal(set) var phase: Phase
    package let isRetained: Bool
    /// Bytes of the message, also while it is released.
    package let byteCount: UInt32
    /// Where the message lies in the log of a broker that keeps one; 0 where it does not.
    package let sequence: UInt64
    /// It came by a shared subscription.
    package let isShared: Bool
    package internal(set) var note = Note.settled
    /// Its PUBLISH has not been sent on any connection: the first is no repetition.
    package internal(set) var isUnsent = false

    /// The message was given up for the time being; it has to be given back before its turn.
    package var isReleased: Bool { message == nil && phase != .awaitingPubComp }

    package var qos: QoS { phase == .awaitingPubAck ? .atLeastOnce : .exactlyOnce }
}

/// The messages of one session that were sent and are not finished, in the order they were first sent
/// [MQTT-4.6.0-1], and the packet identifiers they hold [MQTT-2.2.1-3].
///
/// Receivers acknowledge in order, so an entry is nearly always found at the distance of its identifier from the first
/// one's; otherwise by a scan, which the limit on the window bounds.
package struct InflightWindow: Sendable {
    package private(set) var entries: Deque<InflightMessage> = []
    private var lastIdentifier: PacketIdentifier = 0
    /// Entries from before identifiers began again at 1. While there are none, identifiers ascend, and a new one cannot
    /// be held.
    private var countBeforeWrap = 0
    /// Entries at the end that were not sent yet on this connection.
    package private(set) var resendCount = 0
    /// Identifiers that no entry has yet: their messages were sent by an earlier process and wait for their turn.
    private var reserved: Set<PacketIdentifier> = []

    package init() {}

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }
    /// Entries that wait for their note.
    package private(set) var pendingNoteCount = 0

    /// Takes the next free packet identifier and remembers the message under it. Only while `count` is below 65,535.
    package mutating func append(
        _ message: ApplicationMessage, qos: QoS, isRetained: Bool = false, subscriptionIdentifiers: [UInt32] = [],
        sequence: UInt64 = 0, isShared: Bool = false, isNotePending: Bool = false
    ) -> PacketIdentifier {
        precondition(qos != .atMostOnce, "a QoS 0 message is never in flight")
        precondition(resendCount == 0, "what was sent before is sent again first")
        let identifier = nextIdentifier()
        if isNotePending { pendingNoteCount += 1 }
        entries.append(
            InflightMessage(
                message: message, subscriptionIdentifiers: subscriptionIdentifiers, packetIdentifier: identifier,
                phase: qos == .atLeastOnce ? .awaitingPubAck : .awaitingPubRec, isRetained: isRetained,
                byteCount: UInt32(clamping: message.byteCount), sequence: sequence, isShared: isShared,
                note: isNotePending ? .pending : .settled,
                isUnsent: isNotePending))
        return identifier
    }

    /// What has to be noted of the entry before its packet is sent has been given away.
    package mutating func noteRequested(_ identifier: PacketIdentifier) {
        guard let index = index(of: identifier), entries[index].note != .pending else { return }
        entries[index].note = .pending
        pendingNoteCount += 1
    }

    /// The answer has come.
    /// - Returns: the entry, if its packet is due now: it is noted, and its turn on this connection has passed. One whose
    ///   turn comes is sent then.
    package mutating func noteAnswered(_ identifier: PacketIdentifier, isNoted: Bool) -> InflightMessage? {
        guard let index = index(of: identifier), entries[index].note == .pending else { return nil }
        entries[index].note = isNoted ? .settled : .needed
        pendingNoteCount -= 1
        return isNoted && index < entries.count - resendCount ? entries[index] : nil
    }

    /// Its PUBLISH has been sent.
    package mutating func published(_ identifier: PacketIdentifier) {
        if let index = index(of: identifier) { entries[index].isUnsent = false }
    }

    // MARK: After a restart

    /// Puts back an exchange of QoS 2 that a restart has interrupted, behind those put back before: its message is the
    /// receiver's, only the release is left.
    package mutating func restoreRelease(_ packetIdentifier: PacketIdentifier, sequence: UInt64, isShared: Bool) {
        guard !holds(packetIdentifier) else { return }
        // It is sent with what is sent again.
        insert(
            InflightMessage(
                message: nil, subscriptionIdentifiers: [], packetIdentifier: packetIdentifier,
                phase: .awaitingPubComp, isRetained: false, byteCount: 0, sequence: sequence, isShared: isShared),
            at: entries.count)
        resendCount += 1
    }

    /// A restart has interrupted an exchange of QoS 2 under this identifier: no other message gets it. `takeUp` follows,
    /// when the message's turn comes.
    package mutating func reserve(_ packetIdentifier: PacketIdentifier) {
        reserved.insert(packetIdentifier)
        lastIdentifier = max(lastIdentifier, packetIdentifier)
    }

    package func isReserved(_ packetIdentifier: PacketIdentifier) -> Bool {
        !reserved.isEmpty && reserved.contains(packetIdentifier)
    }

    /// The message of a reserved identifier is not sent any more: only the release is left.
    package mutating func releaseReserved(_ packetIdentifier: PacketIdentifier, sequence: UInt64, isShared: Bool) {
        reserved.remove(packetIdentifier)
        restoreRelease(packetIdentifier, sequence: sequence, isShared: isShared)
    }

    /// Goes on with an exchange whose identifier was reserved, behind what was sent on this connection. The message is nil
    /// when the receiver has answered already.
    /// - Returns: the entry, whose PUBLISH is to be sent again.
    package mutating func takeUp(
        _ message: ApplicationMessage?, packetIdentifier: PacketIdentifier, isRetained: Bool,
        subscriptionIdentifiers: [UInt32], sequence: UInt64, isShared: Bool
    ) -> InflightMessage {
        precondition(reserved.remove(packetIdentifier) != nil, "a reserved identifier")
        let entry = InflightMessage(
            message: message, subscriptionIdentifiers: subscriptionIdentifiers, packetIdentifier: packetIdentifier,
            phase: .awaitingPubRec, isRetained: isRetained, byteCount: UInt32(clamping: message?.byteCount ?? 0),
            sequence: sequence, isShared: isShared)
        insert(entry, at: entries.count - resendCount)
        return entry
    }

    private mutating func insert(_ entry: InflightMessage, at index: Int) {
        entries.insert(entry, at: index)
        // Their identifiers may stand in any order: none of them counts as ascending.
        lastIdentifier = max(lastIdentifier, entry.packetIdentifier)
        countBeforeWrap = entries.count
    }

    /// The entry that holds the identifier.
    package func entry(_ identifier: PacketIdentifier) -> InflightMessage? { index(of: identifier).map { entries[$0] } }

    /// The next packet identifier that no entry holds; for a SUBSCRIBE or UNSUBSCRIBE too, which share the space.
    package mutating func nextIdentifier() -> PacketIdentifier {
        precondition(entries.count + reserved.count < Int(PacketIdentifier.max), "a packet identifier is free")
        repeat {
            if lastIdentifier == .max {
                lastIdentifier = 0
                countBeforeWrap = entries.count
            }
            lastIdentifier += 1
        } while holds(lastIdentifier) || isReserved(lastIdentifier)
        return lastIdentifier
    }

    package func holds(_ identifier: PacketIdentifier) -> Bool {
        guard let last = entries.last else { return false }
        if countBeforeWrap == 0, identifier > last.packetIdentifier { return false }
        return index(of: identifier) != nil
    }

    private func index(of identifier: PacketIdentifier) -> Int? {
        guard let first = entries.first else { return nil }
        let guess = Int(identifier &- first.packetIdentifier)
        if guess < entries.count, entries[guess].packetIdentifier == identifier { return guess }
        return entries.firstIndex { $0.packetIdentifier == identifier }
    }

    package enum AcknowledgementOutcome: Sendable, Hashable {
        /// The entry is finished and its identifier free.
        case finished
        /// PUBREC was accepted, now or before: send PUBREL.
        case release
        /// No entry has this identifier.
        case notFound
        /// An entry has it, but this packet does not belong to its QoS: a protocol error.
        case wrongPacket
    }

    /// PUBACK came, success or not: either ends the exchange [MQTT-4.3.2-3].
    package mutating func pubAckReceived(_ identifier: PacketIdentifier) -> AcknowledgementOutcome {
        guard let index = index(of: identifier) else { return .notFound }
        guard entries[index].phase == .awaitingPubAck else { return .wrongPacket }
        remove(at: index)
        return .finished
    }

    /// PUBREC came. A refusal (reason code 0x80 or above) ends the exchange without PUBREL [MQTT-4.3.3-4].
    package mutating func pubRecReceived(_ identifier: PacketIdentifier, isRefusal: Bool) -> AcknowledgementOutcome {
        guard let index = index(of: identifier) else { return .notFound }
        switch entries[index].phase {
        case .awaitingPubAck: return .wrongPacket
        case .awaitingPubComp: return .release
        case .awaitingPubRec:
            if isRefusal {
                remove(at: index)
                return .finished
            }
            entries[index].message = nil
            entries[index].phase = .awaitingPubComp
            return .release
        }
    }

    /// PUBCOMP came.
    package mutating func pubCompReceived(_ identifier: PacketIdentifier) -> AcknowledgementOutcome {
        guard let index = index(of: identifier) else { return .notFound }
        guard entries[index].phase == .awaitingPubComp else { return .wrongPacket }
        remove(at: index)
        return .finished
    }

    /// A new connection to the same session: every entry is to be sent once more, in order [MQTT-4.4.0-1].
    package mutating func beginResend() { resendCount = entries.count }

    /// The entries to send once more, in order.
    package var entriesToResend: Deque<InflightMessage>.SubSequence { entries.suffix(resendCount) }

    /// The next entry to send once more. nil when all have been, when the one before it waits for its note [MQTT-4.6.0-1],
    /// or when it is a PUBLISH and `window` entries are unfinished that were sent on this connection [MQTT-3.3.4-9].
    package func nextToResend(window: Int) -> InflightMessage? {
        guard resendCount > 0 else { return nil }
        let sentCount = entries.count - resendCount
        let next = entries[sentCount]
        if sentCount > 0, entries[sentCount - 1].note != .settled { return nil }
        return sentCount < window || next.phase == .awaitingPubComp ? next : nil
    }

    /// The same; counts as sent.
    package mutating func takeNextToResend(window: Int) -> InflightMessage? {
        guard let next = nextToResend(window: window) else { return nil }
        precondition(!next.isReleased, "a message is given back before it is sent again")
        resendCount -= 1
        return next
    }

    // MARK: Messages that are not held

    /// Gives up the messages that lie in a log below `end`, until they are to be sent again.
    package mutating func releaseMessages(below end: UInt64) {
        for index in entries.indices where entries[index].sequence > 0 && entries[index].sequence < end {
            entries[index].message = nil
        }
    }

    /// A message that was released is at hand again.
    package mutating func giveBack(_ message: ApplicationMessage, to identifier: PacketIdentifier) {
        guard let index = index(of: identifier), entries[index].isReleased else { return }
        entries[index].message = message
    }

    /// A message with QoS 2 that was released is lost. The receiver may hold its identifier, and is asked to release it:
    /// another message under it would be taken for a repeat.
    package mutating func messageLost(_ identifier: PacketIdentifier) {
        guard let index = index(of: identifier), entries[index].phase == .awaitingPubRec else { return }
        entries[index].message = nil
        entries[index].phase = .awaitingPubComp
    }

    /// Ends an exchange without an answer: the message cannot be sent on this connection.
    package mutating func abandon(_ identifier: PacketIdentifier) {
        if let index = index(of: identifier) { remove(at: index) }
    }

    package mutating func removeAll() {
        entries = []
        pendingNoteCount = 0
        countBeforeWrap = 0
        resendCount = 0
        reserved = []
    }

    private mutating func remove(at index: Int) {
        if entries[index].note == .pending { pendingNoteCount -= 1 }
        if index < countBeforeWrap { countBeforeWrap -= 1 }
        if index >= entries.count - resendCount { resendCount -= 1 }
        if index == 0 { entries.removeFirst() } else { entries.remove(at: index) }
    }
}
