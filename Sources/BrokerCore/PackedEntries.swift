import Backbone

/// Entries in the order in which they were appended, each written as what is different from the one before: most of them
/// are a byte or a few, so that what a session that is away costs hardly grows with what it is owed.
///
/// An entry begins with a byte: bit 0 says that attributes follow, bit 1 that a size follows, the rest how far its sequence
/// is from the last one: 0 for none, up to 61 the distance, 62 that the distance follows, 63 that the sequence itself does.
/// What follows is in groups of seven bits, the lowest first.
struct PackedEntries: Sequence {
    private enum Control {
        static let hasAttributes: UInt8 = 1
        static let hasByteCount: UInt8 = 2
        static let distanceFollows: UInt64 = 62
        static let sequenceFollows: UInt64 = 63
    }

    private var bytes: [UInt8] = []
    /// Where the first entry begins. Numbers of 32 bits, here and below, since there is one of these for every session that
    /// is away.
    private var head: UInt32 = 0
    private var storedCount: UInt32 = 0
    /// What the first entry is different from; its sequence is the last one that was not 0.
    private var beforeFirst = QueuedEntry.none
    /// The same for the next that is appended.
    private var last = QueuedEntry.none

    var count: Int { Int(storedCount) }
    var isEmpty: Bool { storedCount == 0 }
    /// Bytes, with the room that is spare.
    var capacity: Int { bytes.capacity }

    var first: QueuedEntry? {
        guard count > 0 else { return nil }
        var iterator = makeIterator()
        return iterator.next()
    }

    mutating func append(_ entry: QueuedEntry) {
        let hasAttributes = entry.attributes != last.attributes
        let hasByteCount = entry.byteCount != last.byteCount
        var place: UInt64 = 0
        if entry.sequence > last.sequence {
            place = Swift.min(entry.sequence - last.sequence, Control.distanceFollows)
        } else if entry.sequence > 0 {
            place = Control.sequenceFollows
        }
        bytes.append(
            UInt8(place) << 2 | (hasByteCount ? Control.hasByteCount : 0) | (hasAttributes ? Control.hasAttributes : 0))
        if place == Control.distanceFollows { appendNumber(entry.sequence - last.sequence) }
        if place == Control.sequenceFollows { appendNumber(entry.sequence) }
        if hasAttributes { appendNumber(UInt64(entry.attributes)) }
        if hasByteCount { appendNumber(UInt64(entry.byteCount)) }
        let sequence = entry.sequence > 0 ? entry.sequence : last.sequence
        last = entry
        last.sequence = sequence
        storedCount += 1
    }

    private mutating func appendNumber(_ number: UInt64) {
        var rest = number
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Only while there is one.
    @discardableResult
    mutating func removeFirst() -> QueuedEntry {
        precondition(count > 0, "an entry is taken from a queue that has one")
        var offset = Int(head)
        let entry = PackedEntries.decode(bytes, &offset, after: &beforeFirst)
        storedCount -= 1
        if storedCount == 0 {
            bytes = []
            offset = 0
        } else if offset > 4096, offset > bytes.count / 2 {
            bytes.removeSubrange(..<offset)
            offset = 0
        }
        head = UInt32(offset)
        return entry
    }

    struct Iterator: IteratorProtocol {
        fileprivate let bytes: [UInt8]
        fileprivate var offset: Int
        fileprivate var last: QueuedEntry

        mutating func next() -> QueuedEntry? {
            offset < bytes.count ? PackedEntries.decode(bytes, &offset, after: &last) : nil
        }
    }

    func makeIterator() -> Iterator { Iterator(bytes: bytes, offset: Int(head), last: beforeFirst) }

    private static func decode(
        _ bytes: [UInt8], _ offset: inout Int, after last: inout QueuedEntry
    ) -> QueuedEntry {
        let control = bytes[offset]
        offset += 1
        var sequence: LogSequence
        switch UInt64(control >> 2) {
        case 0: sequence = 0
        case Control.distanceFollows: sequence = last.sequence + decodeNumber(bytes, &offset)
        case Control.sequenceFollows: sequence = decodeNumber(bytes, &offset)
        case let distance: sequence = last.sequence + distance
        }
        let attributes =
            control & Control.hasAttributes != 0
            ? UInt32(truncatingIfNeeded: decodeNumber(bytes, &offset)) : last.attributes
        let byteCount =
            control & Control.hasByteCount != 0
            ? UInt32(truncatingIfNeeded: decodeNumber(bytes, &offset)) : last.byteCount
        last = QueuedEntry(
            sequence: sequence > 0 ? sequence : last.sequence, byteCount: byteCount, attributes: attributes)
        return QueuedEntry(sequence: sequence, byteCount: byteCount, attributes: attributes)
    }

    private static func decodeNumber(_ bytes: [UInt8], _ offset: inout Int) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = bytes[offset]
            offset += 1
            number |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return number }
            shift += 7
        }
    }
}
