import DequeModule
import MQTTModel

/// A client's publications that were sent and are not finished, in the order of their first sending [MQTT-4.6.0-1], and
/// by packet identifier.
///
/// Beside what `InflightWindow` knows it remembers who waits for the end of each, what PUBREC said, and which of them
/// were sent on the present connection: the window of a new one may be smaller than that of the last. A finished one in
/// the middle leaves a gap that goes with the ones before it, so every operation takes constant time.
struct ClientInflight {
    struct Entry {
        let token: PublishToken
        let packetIdentifier: PacketIdentifier
        let qos: QoS
        /// nil once PUBREC came: from then on it is PUBREL that is sent again, never PUBLISH [MQTT-4.3.3-6].
        var message: ApplicationMessage?
        /// The reason code and properties of the PUBREC.
        var received: (reasonCode: ReasonCode, properties: Properties)?
        /// Whether it was sent on the present connection.
        var isSent: Bool
    }

    private var entries: Deque<Entry?> = []
    private var firstSequence: UInt64 = 0
    private var sequences: [PacketIdentifier: UInt64] = [:]
    /// The first entry that may still have to be sent again after a reconnect.
    private var resendSequence: UInt64 = 0

    /// How many of them were sent on the present connection.
    private(set) var sentCount = 0

    var count: Int { sequences.count }
    var isEmpty: Bool { sequences.isEmpty }

    func contains(_ packetIdentifier: PacketIdentifier) -> Bool { sequences[packetIdentifier] != nil }

    /// The entry with this identifier; nil when there is none.
    func entry(for packetIdentifier: PacketIdentifier) -> Entry? {
        sequences[packetIdentifier].flatMap { entries[index(of: $0)] }
    }

    /// Adds a publication that is being sent for the first time.
    mutating func append(token: PublishToken, packetIdentifier: PacketIdentifier, message: ApplicationMessage) {
        assert(!contains(packetIdentifier), "a packet identifier names one publication")
        sequences[packetIdentifier] = firstSequence + UInt64(entries.count)
        entries.append(
            Entry(
                token: token, packetIdentifier: packetIdentifier, qos: message.qos, message: message, received: nil,
                isSent: true))
        sentCount += 1
    }

    /// Notes the PUBREC: the message is the server's now.
    mutating func setReceived(_ packetIdentifier: PacketIdentifier, reasonCode: ReasonCode, properties: Properties) {
        guard let sequence = sequences[packetIdentifier] else { return }
        let index = index(of: sequence)
        entries[index]?.message = nil
        entries[index]?.received = (reasonCode, properties)
    }

    /// Takes a finished publication out.
    mutating func remove(_ packetIdentifier: PacketIdentifier) {
        guard let sequence = sequences.removeValue(forKey: packetIdentifier) else { return }
        let index = index(of: sequence)
        if entries[index]?.isSent == true { sentCount -= 1 }
        entries[index] = nil
        while case .some(.none) = entries.first {
            entries.removeFirst()
            firstSequence += 1
        }
    }

    /// A new connection: nothing of what is here was sent on it yet.
    mutating func startConnection() {
        for index in entries.indices { entries[index]?.isSent = false }
        sentCount = 0
        resendSequence = firstSequence
    }

    /// The next PUBLISH that has to be sent again, marked as sent; nil when there is none.
    mutating func nextToResend() -> Entry? {
        resendSequence = max(resendSequence, firstSequence)
        while resendSequence < firstSequence + UInt64(entries.count) {
            let index = index(of: resendSequence)
            resendSequence += 1
            if let entry = entries[index], !entry.isSent {
                markSent(at: index)
                return entry
            }
        }
        return nil
    }

    /// The publications of which the PUBREL has to be sent again, in order; marked as sent.
    mutating func releasesToResend() -> [PacketIdentifier] {
        var identifiers: [PacketIdentifier] = []
        for index in entries.indices {
            guard let entry = entries[index], entry.message == nil, !entry.isSent else { continue }
            markSent(at: index)
            identifiers.append(entry.packetIdentifier)
        }
        return identifiers
    }

    /// Empties it; the entries in order.
    mutating func removeAll() -> [Entry] {
        let all = entries.compactMap { $0 }
        firstSequence += UInt64(entries.count)
        entries.removeAll()
        sequences.removeAll()
        sentCount = 0
        return all
    }

    private mutating func markSent(at index: Int) {
        entries[index]?.isSent = true
        sentCount += 1
    }

    private func index(of sequence: UInt64) -> Int { Int(sequence - firstSequence) }
}
