import MQTTCodec
import MQTTModel
import Testing

/// Bytes that must be refused. The rule names the normative statement.
struct Refused: Sendable, CustomTestStringConvertible {
    let rule: String
    let versions: [ProtocolVersion?]
    let role: PacketDecoder.Role
    let wire: String
    let reasonCode: ReasonCode

    init(
        _ rule: String, _ wire: String, _ reasonCode: ReasonCode, in versions: [ProtocolVersion?] = [.v5_0],
        by role: PacketDecoder.Role = .server
    ) {
        self.rule = rule
        self.versions = versions
        self.role = role
        self.wire = wire
        self.reasonCode = reasonCode
    }

    var testDescription: String { rule }

    func check() {
        for version in versions {
            var decoder = decoder(role, version)
            do {
                let decoded = try decoder.decode(Wire.bytes(wire))
                Issue.record("\(rule): decoded \(String(describing: decoded)) in \(version?.name ?? "no version")")
            } catch {
                #expect(error.reasonCode == reasonCode, "\(rule): \(error) in \(version?.name ?? "no version")")
            }
        }
    }
}

/// Bytes that are a whole packet. Encoding it gives the same bytes, or those of `canonical`.
struct Accepted: Sendable, CustomTestStringConvertible {
    let rule: String
    let versions: [ProtocolVersion]
    let role: PacketDecoder.Role
    let wire: String
    let canonical: String
    let isFirst: Bool
    let holds: @Sendable (Packet) -> Bool

    init(
        _ rule: String, _ wire: String, in versions: [ProtocolVersion] = [.v5_0], by role: PacketDecoder.Role = .server,
        isFirst: Bool = false, canonical: String? = nil, holds: @escaping @Sendable (Packet) -> Bool = { _ in true }
    ) {
        self.rule = rule
        self.versions = versions
        self.role = role
        self.wire = wire
        self.canonical = canonical ?? wire
        self.isFirst = isFirst
        self.holds = holds
    }

    var testDescription: String { rule }

    func check() throws {
        let bytes = Wire.bytes(wire)
        for version in versions {
            for count in 0..<bytes.count {
                var partial = decoder(role, isFirst ? nil : version)
                #expect(try partial.decode(Array(bytes.prefix(count))) == nil, "\(rule): \(count) bytes")
            }
            var decoder = decoder(role, isFirst ? nil : version)
            let decoded = try #require(try decoder.decode(bytes + [0xFF]), "\(rule)")
            #expect(decoded.byteCount == bytes.count, "\(rule)")
            #expect(holds(decoded.packet), "\(rule): \(decoded.packet) in \(version.name)")
            #expect(decoder.version == version, "\(rule)")
            #expect(encode(decoded.packet, version) == Wire.bytes(canonical), "\(rule) in \(version.name)")
            #expect(
                PacketEncoder.encodedLength(decoded.packet, version: version) == Wire.bytes(canonical).count, "\(rule)")
        }
    }
}

let everyVersion = ProtocolVersion.allCases
let before5: [ProtocolVersion] = [.v3_1, .v3_1_1]

extension Packet {
    var connect: Connect? { if case .connect(let connect) = self { connect } else { nil } }
    var connAck: ConnAck? { if case .connAck(let connAck) = self { connAck } else { nil } }
    var publish: Publish? { if case .publish(let publish) = self { publish } else { nil } }
    var subscribe: Subscribe? { if case .subscribe(let subscribe) = self { subscribe } else { nil } }
    var subAck: SubAck? { if case .subAck(let subAck) = self { subAck } else { nil } }
    var unsubscribe: Unsubscribe? { if case .unsubscribe(let unsubscribe) = self { unsubscribe } else { nil } }
    var unsubAck: UnsubAck? { if case .unsubAck(let unsubAck) = self { unsubAck } else { nil } }
    var disconnect: Disconnect? { if case .disconnect(let disconnect) = self { disconnect } else { nil } }
    var auth: Auth? { if case .auth(let auth) = self { auth } else { nil } }
    var acknowledgement: Acknowledgement? {
        if case .acknowledgement(let acknowledgement) = self { acknowledgement } else { nil }
    }
}

/// Whether the test's own comparison of optional packets is with nothing.
func == (left: DecodedPacket?, right: _OptionalNilComparisonType) -> Bool {
    if case .none = left { true } else { false }
}
