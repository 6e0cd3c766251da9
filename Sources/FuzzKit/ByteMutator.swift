/// Changes inputs, by seed: single bytes, spans, what the dictionary knows of MQTT, and splices of two inputs. Half of
/// the results get a remaining length again that fits, so that they are not all refused for that.
package struct ByteMutator {
    package var random: SeededRandom

    package init(seed: UInt64) { random = SeededRandom(seed: seed) }

    /// At most so many bytes come out.
    package static let maximumLength = 4096

    /// Pieces that mean something: names, lengths at the borders, properties, strings that are no UTF-8.
    private static let dictionary: [[UInt8]] = [
        [0x00, 0x04, 0x4D, 0x51, 0x54, 0x54, 0x05], [0x00, 0x06, 0x4D, 0x51, 0x49, 0x73, 0x64, 0x70, 0x03],
        [0x7F], [0x80, 0x01], [0xFF, 0x7F], [0x80, 0x80, 0x01], [0xFF, 0xFF, 0xFF, 0x7F],
        [0x80, 0x80, 0x80, 0x80, 0x01],
        [0x80, 0x00], [0x00, 0x00], [0xFF, 0xFF], [0x00, 0x01], [0x01, 0x01], [0x02, 0x00, 0x00, 0x00, 0x0A],
        [0x03, 0x00, 0x01, 0x61], [0x08, 0x00, 0x01, 0x62], [0x09, 0x00, 0x02, 0x00, 0xFF], [0x0B, 0x01],
        [0x0B, 0x80, 0x01],
        [0x11, 0xFF, 0xFF, 0xFF, 0xFF], [0x12, 0x00, 0x01, 0x63], [0x13, 0x00, 0x3C], [0x15, 0x00, 0x01, 0x64],
        [0x16, 0x00, 0x01, 0x65], [0x17, 0x01], [0x18, 0x00, 0x00, 0x00, 0x05], [0x19, 0x01], [0x1A, 0x00, 0x00],
        [0x1C, 0x00, 0x01, 0x66], [0x1F, 0x00, 0x01, 0x67], [0x21, 0x00, 0x01], [0x22, 0x00, 0x0A], [0x23, 0x00, 0x01],
        [0x24, 0x01], [0x25, 0x00], [0x26, 0x00, 0x01, 0x68, 0x00, 0x01, 0x69], [0x27, 0x00, 0x00, 0x10, 0x00],
        [0x28, 0x01], [0x29, 0x00], [0x2A, 0x01], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xEF, 0xBB, 0xBF],
        [0xF4, 0x90, 0x80, 0x80], [0x2B], [0x23], [0x2F], [0x24],
    ]

    /// `bytes` changed in one to four ways; `other` is what it may be spliced with. `fitsLength` is for MQTT packets.
    package mutating func mutate(_ bytes: [UInt8], with other: [UInt8], fitsLength: Bool = true) -> [UInt8] {
        var result = bytes
        for _ in 0...random.below(4) { change(&result, with: other) }
        if result.count > ByteMutator.maximumLength { result.removeLast(result.count - ByteMutator.maximumLength) }
        return fitsLength && random.once(in: 2) ? ByteMutator.withFittingLength(result) : result
    }

    private mutating func change(_ bytes: inout [UInt8], with other: [UInt8]) {
        let position = random.below(bytes.count)
        let length = min(1 + random.below(8), bytes.count - position)
        switch random.below(9) {
        case 0 where !bytes.isEmpty: bytes[position] ^= 1 << UInt8(random.below(8))
        case 1 where !bytes.isEmpty: bytes[position] = random.pick([0, 1, 2, 0x7F, 0x80, 0xFF, 0x10, 0x30])
        case 2 where !bytes.isEmpty: bytes[position] = UInt8(truncatingIfNeeded: random.next())
        case 3 where !bytes.isEmpty: bytes[position] = bytes[position] &+ random.pick([1, 0xFF])
        case 4: bytes.removeSubrange(position..<(position + length))
        case 5: bytes.insert(contentsOf: bytes[position..<(position + length)], at: random.below(bytes.count + 1))
        case 6:
            let start = random.below(other.count)
            bytes.insert(contentsOf: other[start..<min(start + 1 + random.below(32), other.count)], at: position)
        case 7: bytes.replaceSubrange(position..<(position + length), with: random.pick(ByteMutator.dictionary))
        default: bytes.insert(contentsOf: random.pick(ByteMutator.dictionary), at: position)
        }
    }

    /// The bytes as one packet: the first byte, the length that is right, and all the rest.
    package static func withFittingLength(_ bytes: [UInt8]) -> [UInt8] {
        guard let first = bytes.first else { return bytes }
        let lengthBytes = bytes.dropFirst().prefix(4).prefix { $0 >= 0x80 }.count + 1
        let body = bytes.dropFirst(1 + lengthBytes)
        var packet = [first]
        var rest = body.count
        repeat {
            packet.append(UInt8(rest & 0x7F) | (rest >= 0x80 ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return packet + body
    }
}
