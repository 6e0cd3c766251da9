import MQTTCodec
import MQTTModel
import NIOCore

/// Packets as text, so that a table of bytes can be read.
///
/// `30 { "a/b" [ 01 01 ] 'payload' }`: hexadecimal bytes; `'text'` its bytes; `"text"` the same behind a length of two
/// bytes; `{ … }` and `[ … ]` a group behind its length as a variable byte integer (braces for the remaining length,
/// brackets for properties).
enum Wire {
    static func bytes(_ text: String) -> [UInt8] {
        var groups: [[UInt8]] = [[]]
        var rest = Substring(text)
        while let character = rest.popFirst() {
            switch character {
            case " ", "\n": continue
            case "{", "[": groups.append([])
            case "}", "]":
                let group = groups.removeLast()
                groups[groups.count - 1] += variableByteInteger(group.count) + group
            case "'", "\"":
                let content = Array(rest.prefix { $0 != character }.utf8)
                rest = rest.drop { $0 != character }.dropFirst()
                if character == "\"" {
                    groups[groups.count - 1] += [UInt8(content.count >> 8), UInt8(content.count & 0xFF)]
                }
                groups[groups.count - 1] += content
            default:
                groups[groups.count - 1].append(UInt8(String([character, rest.removeFirst()]), radix: 16)!)
            }
        }
        precondition(groups.count == 1, "unbalanced: \(text)")
        return groups[0]
    }

    static func variableByteInteger(_ value: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest >= 0x80 ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }
}

extension PacketDecoder {
    /// Decodes one packet from an array.
    mutating func decode(_ bytes: [UInt8]) throws(ProtocolViolation) -> DecodedPacket? {
        var pool = MessagePool()
        var result: Result<DecodedPacket?, ProtocolViolation> = .success(nil)
        bytes.withUnsafeBytes { memory in
            result = Result { () throws(ProtocolViolation) in try decode(memory, pool: &pool) }
        }
        return try result.get()
    }
}

extension ProtocolVersion {
    var name: String {
        switch self {
        case .v3_1: "3.1"
        case .v3_1_1: "3.1.1"
        case .v5_0: "5.0"
        }
    }
}

/// A decoder as it is once CONNECT has been decoded; without version, as it is before.
func decoder(_ role: PacketDecoder.Role, _ version: ProtocolVersion?, maximumPacketSize: UInt32 = .max) -> PacketDecoder
{
    PacketDecoder(role: role, version: version, maximumPacketSize: maximumPacketSize)
}

func encode(_ packet: Packet, _ version: ProtocolVersion) -> [UInt8] {
    var buffer = ByteBuffer()
    PacketEncoder.append(packet, version: version, to: &buffer)
    return Array(buffer.readableBytesView)
}
