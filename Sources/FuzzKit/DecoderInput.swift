package import MQTTCodec
package import MQTTModel

/// An input of the decoder's fuzz target, as it is kept in a file: one byte that says who decodes, then the bytes that
/// arrive.
///
/// The first byte: bits 0 and 1 are the version (0 none yet, 1 for 3.1, 2 for 3.1.1, 3 for 5.0), bit 2 is set when a
/// client decodes; a client without version speaks 5.0.
package struct DecoderInput: Sendable {
    package var role: PacketDecoder.Role
    package var version: ProtocolVersion?
    package var stream: [UInt8]

    package init(role: PacketDecoder.Role, version: ProtocolVersion?, stream: [UInt8]) {
        self.role = role
        self.version = version
        self.stream = stream
    }

    package init(file: [UInt8]) {
        let head = file.first ?? 0
        role = head & 0x04 == 0 ? .server : .client
        version = head & 0x03 == 0 ? nil : ProtocolVersion(rawValue: 2 + (head & 0x03))
        if role == .client, version == nil { version = .v5_0 }
        stream = Array(file.dropFirst())
    }

    package var file: [UInt8] {
        let head = (version.map { $0.rawValue - 2 } ?? 0) | (role == .client ? 0x04 : 0)
        return [head] + stream
    }
}
