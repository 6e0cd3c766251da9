import MQTTCodec
import MQTTModel
import struct NIOCore.ByteBuffer

/// The inputs that fuzzing of the decoder starts from: generated packets of each type, version and direction, and short
/// conversations.
package enum DecoderCorpus {
    package static func inputs() -> [(name: String, input: DecoderInput)] {
        var inputs: [(name: String, input: DecoderInput)] = []
        for version in ProtocolVersion.allCases {
            for role in [PacketDecoder.Role.server, .client] {
                let name = "v\(version.rawValue)-to-\(role)"
                var generator = PacketGenerator(seed: UInt64(version.rawValue), version: version, receiver: role)
                for type in types(version: version, role: role) {
                    var packets = (0..<3).map { _ in generator.packet(of: type) }
                    if type == .connect { packets = [generator.packet(of: type)] }
                    inputs.append(
                        (
                            "\(name)-\(type)",
                            DecoderInput(
                                role: role, version: type == .connect ? nil : version,
                                stream: encode(packets, version: version))
                        ))
                }
                guard role == .server else { continue }
                let conversation = [generator.packet(of: .connect)] + (0..<6).map { _ in generator.packet() }
                inputs.append(
                    (
                        "\(name)-conversation",
                        DecoderInput(role: role, version: nil, stream: encode(conversation, version: version))
                    ))
            }
        }
        return inputs
    }

    private static func types(version: ProtocolVersion, role: PacketDecoder.Role) -> [PacketType] {
        var types: [PacketType] = [.publish, .pubAck, .pubRec, .pubRel, .pubComp]
        switch role {
        case .server: types += [.connect, .subscribe, .unsubscribe, .pingReq, .disconnect]
        case .client: types += [.connAck, .subAck, .unsubAck, .pingResp]
        }
        if version == .v5_0 { types += role == .client ? [.disconnect, .auth] : [.auth] }
        return types
    }

    private static func encode(_ packets: [Packet], version: ProtocolVersion) -> [UInt8] {
        var buffer = ByteBuffer()
        for packet in packets { PacketEncoder.append(packet, version: version, to: &buffer) }
        return Array(buffer.readableBytesView)
    }
}
