import MQTTBridge
import MQTTCodec
import MQTTModel

/// A bridge between two brokers that are played by the test.
final class BridgeHarness {
    private var bridge: Bridge
    var now = Instant(nanoseconds: 1_000_000_000)
    var random = FixedRandom()
    /// What the bridge has sent to each side since the last look.
    private var sent: [BridgeSide: [Packet]] = [:]
    private(set) var events: [BridgeEvent] = []
    private(set) var connects: [(packet: Connect, side: BridgeSide, hasBridgeBit: Bool)] = []
    private(set) var opened: [(side: BridgeSide, attempt: Int)] = []
    private(set) var closed: [BridgeSide] = []

    init(_ topics: [BridgeTopic], change: (inout BridgeOptions) -> Void = { _ in }) {
        var options = BridgeOptions(name: "cloud")
        options.clientIdentifier = "edge7"
        options.topics = topics
        change(&options)
        bridge = Bridge(options: options)
    }

    var counters: BridgeCounters { bridge.counters }
    var deadline: Instant { bridge.deadline }
    func isReading(_ side: BridgeSide) -> Bool { bridge.isReading(side) }

    func step(_ input: BridgeInput) {
        var actions: [BridgeAction] = []
        bridge.step(input, at: now, using: &random, into: &actions)
        for action in actions {
            switch action {
            case .open(let side, let attempt): opened.append((side, attempt))
            case .connect(let packet, let side, let hasBridgeBit): connects.append((packet, side, hasBridgeBit))
            case .send(let packet, let side): sent[side, default: []].append(packet)
            case .close(let side): closed.append(side)
            case .report(let event): events.append(event)
            }
        }
    }

    /// Brings the link up.
    func connect(
        isLocalSessionPresent: Bool = true, isRemoteSessionPresent: Bool = true, remote properties: Properties = []
    ) {
        if opened.isEmpty { step(.started) }
        step(.connectionOpened(.remote))
        receive(
            .connAck(
                ConnAck(isSessionPresent: isRemoteSessionPresent, reasonCode: .success, properties: properties)),
            from: .remote)
        step(.connectionOpened(.local))
        receive(
            .connAck(ConnAck(isSessionPresent: isLocalSessionPresent, reasonCode: .success)), from: .local)
    }

    func receive(_ packet: Packet, from side: BridgeSide) { step(.packetReceived(packet, side)) }

    func receive(
        _ topic: String, qos: QoS, _ packetIdentifier: PacketIdentifier = 0, isRetained: Bool = false,
        properties: Properties = [], payload: [UInt8] = [1], from side: BridgeSide
    ) {
        let encoded = PacketEncoder.encodeForwardedProperties(properties)
        let message = Array(topic.utf8).withUnsafeBytes { topic in
            encoded.withUnsafeBytes { encoded in
                payload.withUnsafeBytes {
                    ApplicationMessage(topic: topic, encodedProperties: encoded, payload: $0)
                }
            }
        }
        receive(
            .publish(
                Publish(message: message, qos: qos, packetIdentifier: packetIdentifier, isRetained: isRetained)),
            from: side)
    }

    func receive(
        _ kind: Acknowledgement.Kind, _ packetIdentifier: PacketIdentifier, _ reasonCode: ReasonCode = .success,
        from side: BridgeSide
    ) {
        receive(.acknowledgement(Acknowledgement(kind, packetIdentifier, reasonCode: reasonCode)), from: side)
    }

    /// What was sent to a side since the last look, as short texts.
    func take(_ side: BridgeSide) -> [String] {
        defer { sent[side] = [] }
        return (sent[side] ?? []).map(BridgeHarness.text)
    }

    func takePackets(_ side: BridgeSide) -> [Packet] {
        defer { sent[side] = [] }
        return sent[side] ?? []
    }

    private static func text(_ packet: Packet) -> String {
        switch packet {
        case .publish(let publish):
            let flags = (publish.isDuplicate ? " dup" : "") + (publish.isRetained ? " retained" : "")
            return "\(publish.message.topicString) q\(publish.qos.rawValue) \(publish.packetIdentifier)\(flags)"
        case .acknowledgement(let packet):
            let reason = packet.reasonCode == .success ? "" : " \(packet.reasonCode)"
            return "\(packet.kind) \(packet.packetIdentifier)\(reason)"
        case .subscribe(let packet):
            return packet.entries.map { "subscribe \($0.filter) q\($0.options.maximumQoS.rawValue)" }
                .joined(separator: ", ")
        case .pingReq: return "ping"
        case .disconnect(let packet): return "disconnect \(packet.reasonCode)"
        case .connect, .connAck, .subAck, .unsubscribe, .unsubAck, .pingResp, .auth: return "\(packet)"
        }
    }
}

/// Gives the middle of each range.
struct FixedRandom: RandomNumberGenerator {
    mutating func next() -> UInt64 { 1 << 63 }
}
