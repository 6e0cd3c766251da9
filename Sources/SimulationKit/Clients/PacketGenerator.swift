import MQTTCodec
package import MQTTModel
import struct NIOCore.ByteBuffer

/// Packets of all kinds, most of them correct in themselves and few of them at the right time; and a way to spoil them.
package struct PacketGenerator {
    package static let topics = ["a", "b", "a/b", "a//b", "/", "$SYS/x", "a/b/c/d/e"]

    /// Whether clients have names and enhanced authentications.
    package var authenticates = false
    private var random: SplitMix64
    /// Of every topic that is published to.
    private let topicPrefix: String

    package init(random: SplitMix64, topicPrefix: String = "") {
        self.random = random
        self.topicPrefix = topicPrefix
    }

    /// The bytes of a packet, as a client of this version sends it, or now and then as only a server does.
    package mutating func packet(version: ProtocolVersion) -> [UInt8] {
        var buffer = ByteBuffer()
        PacketEncoder.append(structure(version: version), version: version, to: &buffer)
        return Array(buffer.readableBytesView)
    }

    /// The bytes of a CONNECT.
    package mutating func connectPacket(_ version: ProtocolVersion) -> [UInt8] {
        var buffer = ByteBuffer()
        PacketEncoder.append(.connect(connect(version)), version: version, to: &buffer)
        return Array(buffer.readableBytesView)
    }

    private mutating func structure(version: ProtocolVersion) -> Packet {
        if authenticates, version.hasProperties, random.chance(10) { return .auth(auth()) }
        let identifier = PacketIdentifier(random.integer(in: 0...4))
        switch random.integer(in: 0...99) {
        case 0..<35: return .publish(publish(version, identifier))
        case 35..<55:
            let kind = random.pick([Acknowledgement.Kind.pubAck, .pubRec, .pubRel, .pubComp])
            let isRefusal = version.hasProperties && random.chance(20)
            return .acknowledgement(
                Acknowledgement(kind, identifier, reasonCode: isRefusal ? .packetIdentifierNotFound : .success))
        case 55..<75:
            let entries = (0..<random.integer(in: 1...3)).map { _ in
                Subscribe.Entry(filter: filter(), options: options(version))
            }
            return .subscribe(Subscribe(packetIdentifier: identifier, entries: entries))
        case 75..<83: return .unsubscribe(Unsubscribe(packetIdentifier: identifier, filters: [filter()]))
        case 83..<87: return .pingReq
        case 87..<90:
            return .disconnect(Disconnect(reasonCode: random.pick([.normalDisconnection, .disconnectWithWill])))
        case 90..<96: return .connect(connect(version))
        case 96: return .auth(Auth(reasonCode: .reauthenticate))
        case 97: return .connAck(ConnAck(reasonCode: .success))
        case 98: return .subAck(SubAck(packetIdentifier: identifier, reasonCodes: [.success]))
        default: return .pingResp
        }
    }

    /// A CONNECT of one of a few clients.
    package mutating func connect(_ version: ProtocolVersion) -> Connect {
        var connect = Connect(
            version: version, clientIdentifier: random.pick(["", "a", "b", "c", "d"]), cleanStart: random.chance(50),
            keepAlive: random.pick([0, 1, 60]))
        if random.chance(40) {
            let message = ApplicationMessage(
                topic: topic(), payload: "will".utf8, qos: random.pick(QoS.allCases), isRetained: random.chance(30))
            connect.will = Will(message: message, delayInterval: version.hasProperties ? random.pick([0, 1, 5]) : 0)
        }
        if authenticates, random.chance(70) {
            connect.userName = random.pick(["u", "v", "+", "a/b"])
            connect.password = [UInt8(random.integer(in: 0...3))]
        }
        guard version.hasProperties else { return connect }
        if authenticates, random.chance(40) { connect.properties = Properties(auth().properties.all) }
        if random.chance(60) { connect.properties.append(.sessionExpiryInterval(random.pick([0, 1, 30, .max]))) }
        if random.chance(30) { connect.properties.append(.receiveMaximum(random.pick([1, 2, 100]))) }
        if random.chance(20) { connect.properties.append(.maximumPacketSize(random.pick([1, 20, 60, 500]))) }
        if random.chance(30) { connect.properties.append(.topicAliasMaximum(random.pick([1, 10]))) }
        return connect
    }

    private mutating func publish(_ version: ProtocolVersion, _ identifier: PacketIdentifier) -> Publish {
        let qos = random.pick(QoS.allCases)
        let isAliased = version.hasProperties && random.chance(20)
        let message = ApplicationMessage(
            topic: isAliased && random.chance(50) ? "" : topic(),
            payload: String(repeating: "p", count: random.pick([0, 3, 90])).utf8,
            qos: qos, isRetained: random.chance(30))
        if version.hasProperties, random.chance(20) { message.expiryInterval = random.pick([0, 1, 100]) }
        message.isRetained = random.chance(30)
        return Publish(
            message: message, qos: qos, packetIdentifier: qos == .atMostOnce ? 0 : identifier,
            isDuplicate: qos != .atMostOnce && random.chance(20), isRetained: message.isRetained,
            topicAlias: isAliased ? UInt16(random.integer(in: 0...3)) : 0)
    }

    private mutating func auth() -> Auth {
        Auth(
            reasonCode: random.pick([.continueAuthentication, .continueAuthentication, .reauthenticate]),
            properties: [
                .authenticationMethod(random.pick(["m", "m", "m", "n"])),
                .authenticationData([UInt8(random.integer(in: 0...3))]),
            ])
    }

    private mutating func topic() -> String {
        topicPrefix + random.pick(PacketGenerator.topics)
    }

    private mutating func filter() -> String {
        random.pick([
            "a", "#", "+", "a/+", "a/#", "$share/g/#", "$share/g/a", "$share//a", "a/b#", "+/+", "$SYS/#", "/+",
        ])
    }

    private mutating func options(_ version: ProtocolVersion) -> SubscriptionOptions {
        var options = SubscriptionOptions(maximumQoS: random.pick(QoS.allCases))
        guard version.hasProperties else { return options }
        options.noLocal = random.chance(20)
        options.retainAsPublished = random.chance(30)
        options.retainHandling = random.pick([.sendAtSubscribe, .sendIfNewSubscription, .doNotSend])
        return options
    }

    /// Spoils a packet: a byte changed, cut short, made longer, or two parts exchanged.
    package mutating func mutate(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let position = random.integer(in: 0...(bytes.count - 1))
        switch random.integer(in: 0...4) {
        case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[position] ^= 1 << UInt8(random.integer(in: 0...7))
        case 2: bytes.removeLast(bytes.count - position)
        case 3: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
        default: bytes.swapAt(position, random.integer(in: 0...(bytes.count - 1)))
        }
    }
}
