import DequeModule
package import MQTTModel

/// The packet identifiers of QoS 2 messages that were received and not yet released: what makes a repeated PUBLISH be
/// recognised [MQTT-4.3.3-10] (method A of section 4.3.3: the message itself is passed on at PUBLISH).
///
/// Kept sorted: senders count upwards and release in order, so both ends of the deque do nearly all the work.
package struct ReceivedIdentifiers: Sendable {
    private var sorted: Deque<PacketIdentifier> = []

    package init() {}

    package var count: Int { sorted.count }
    package var isEmpty: Bool { sorted.isEmpty }

    /// - Returns: false when the identifier was there already: the PUBLISH is a repeat.
    package mutating func insert(_ identifier: PacketIdentifier) -> Bool {
        if let last = sorted.last, last >= identifier {
            let index = lowerBound(identifier)
            if sorted[index] == identifier { return false }
            sorted.insert(identifier, at: index)
        } else {
            sorted.append(identifier)
        }
        return true
    }

    /// - Returns: false when the identifier was not there.
    package mutating func remove(_ identifier: PacketIdentifier) -> Bool {
        if sorted.first == identifier {
            sorted.removeFirst()
            return true
        }
        let index = lowerBound(identifier)
        guard index < sorted.count, sorted[index] == identifier else { return false }
        sorted.remove(at: index)
        return true
    }

    package func contains(_ identifier: PacketIdentifier) -> Bool {
        let index = lowerBound(identifier)
        return index < sorted.count && sorted[index] == identifier
    }

    package mutating func removeAll() { sorted = [] }

    /// The first position whose identifier is not below `identifier`.
    private func lowerBound(_ identifier: PacketIdentifier) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < identifier { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
