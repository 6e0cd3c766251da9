/// The text form of NATS keys: base 32 (RFC 4648, without padding) of a prefix, 32 bytes and a checksum.
package enum NKey {
    /// What a key is for, as the first letter of its public form tells.
    package enum Kind: UInt8, Sendable {
        case user = 0xA0  // 20 << 3: U
        case account = 0x00  // 0 << 3: A
        case `operator` = 0x70  // 14 << 3: O
    }

    private static let seedPrefix: UInt8 = 0x90  // 18 << 3: S
    private static let keyLength = 32

    /// The private key of a seed such as `SUA…`, and what it is for; nil when it is none, or its checksum is wrong.
    package static func decodeSeed(_ text: some StringProtocol) -> (kind: Kind, key: [UInt8])? {
        guard let bytes = Base32.decode(text), bytes.count == keyLength + 4 else { return nil }
        let checksum = UInt16(bytes[34]) | UInt16(bytes[35]) << 8
        guard checksum == checksumOf(bytes[..<34]), bytes[0] & 0xF8 == seedPrefix else { return nil }
        // The kind's five bits stand in the low three bits of the first byte and the high five of the second.
        guard let kind = Kind(rawValue: bytes[0] << 5 | bytes[1] >> 3) else { return nil }
        return (kind, Array(bytes[2..<34]))
    }

    /// A private key as text.
    package static func encodeSeed(_ kind: Kind, key: [UInt8]) -> String {
        encode([seedPrefix | kind.rawValue >> 5, kind.rawValue << 3] + key)
    }

    /// A public key as text.
    package static func encodePublicKey(_ kind: Kind, key: [UInt8]) -> String { encode([kind.rawValue] + key) }

    private static func encode(_ bytes: [UInt8]) -> String {
        let checksum = checksumOf(bytes[...])
        return Base32.encode(bytes + [UInt8(truncatingIfNeeded: checksum), UInt8(checksum >> 8)])
    }

    /// CRC-16 with the polynomial 0x1021, starting from zero.
    private static func checksumOf(_ bytes: ArraySlice<UInt8>) -> UInt16 {
        var checksum: UInt16 = 0
        for byte in bytes {
            checksum ^= UInt16(byte) << 8
            for _ in 0..<8 { checksum = checksum & 0x8000 == 0 ? checksum << 1 : checksum << 1 ^ 0x1021 }
        }
        return checksum
    }
}

/// RFC 4648, without padding.
enum Base32 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 5 {
                count -= 5
                text.append(alphabet[Int(bits >> count & 31)])
            }
            bits &= 0xFF
        }
        if count > 0 { text.append(alphabet[Int(bits << (5 - count) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): bits = bits << 5 | UInt32(character - UInt8(ascii: "A"))
            case UInt8(ascii: "2")...UInt8(ascii: "7"): bits = bits << 5 | UInt32(character - UInt8(ascii: "2") + 26)
            default: return nil
            }
            count += 5
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            bits &= 0xFF
        }
        return bytes
    }
}
