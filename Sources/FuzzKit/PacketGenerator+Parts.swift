import MQTTCodec
import MQTTModel

extension PacketGenerator {
    mutating func packetIdentifier() -> PacketIdentifier { UInt16(1 + random.below(65_535)) }

    mutating func subscriptionIdentifier() -> UInt32 {
        random.pick([1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455])
    }

    /// Not `UInt32.max`, which stands for "never" where a message expires.
    mutating func number() -> UInt32 {
        random.once(in: 4) ? random.pick([0, 1, .max - 1]) : UInt32(truncatingIfNeeded: random.next() >> 40)
    }

    mutating func binary() -> [UInt8] {
        (0..<size()).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    private mutating func size() -> Int {
        switch random.below(20) {
        case 0: 0
        case 1: random.below(400)
        case 2: random.pick([127, 128, 129])
        default: random.below(12)
        }
    }

    mutating func string() -> String {
        let characters: [Character] = ["a", "/", "Z", "9", " ", "\u{FEFF}", "ä", "€", "𝄞", "\u{1}", "\u{FFFF}", "$"]
        return String((0..<size()).map { _ in random.pick(characters) })
    }

    mutating func topic() -> String { "t" + string() }

    /// A message with what may travel with it in this version.
    mutating func message() -> ApplicationMessage {
        let forwarded = properties([
            .payloadFormatIndicator, .contentType, .responseTopic, .correlationData, .userProperty,
        ])
        let topic = Array(topic().utf8)
        let payload = binary()
        let encoded = PacketEncoder.encodeForwardedProperties(forwarded)
        let message = ApplicationMessage(capacity: 0)
        message.reset(topicLength: topic.count, propertiesLength: encoded.count, payloadLength: payload.count)
        message.bytes.copyBytes(from: topic + encoded + payload)
        message.qos = random.pick(QoS.allCases)
        message.isRetained = random.once(in: 3)
        if version == .v5_0, random.once(in: 3) { message.expiryInterval = number() }
        return message
    }

    /// Some of the properties, in any order; none before 5.0.
    mutating func properties(_ allowed: [PropertyIdentifier]) -> Properties {
        guard version == .v5_0, random.once(in: 2) else { return [] }
        var properties = Properties()
        for identifier in allowed.shuffled(using: &random) where random.once(in: 2) {
            properties.append(property(identifier))
            if identifier == .userProperty, random.once(in: 2) { properties.append(property(identifier)) }
        }
        return properties
    }

    private mutating func flag() -> UInt8 { UInt8(random.below(2)) }

    private mutating func property(_ identifier: PropertyIdentifier) -> Property {
        switch identifier {
        case .payloadFormatIndicator: .payloadFormatIndicator(flag())
        case .messageExpiryInterval: .messageExpiryInterval(number())
        case .contentType: .contentType(string())
        case .responseTopic: .responseTopic(topic())
        case .correlationData: .correlationData(binary())
        case .subscriptionIdentifier: .subscriptionIdentifier(subscriptionIdentifier())
        case .sessionExpiryInterval: .sessionExpiryInterval(number())
        case .assignedClientIdentifier: .assignedClientIdentifier(string())
        case .serverKeepAlive: .serverKeepAlive(UInt16(truncatingIfNeeded: random.next()))
        case .authenticationMethod: .authenticationMethod(string())
        case .authenticationData: .authenticationData(binary())
        case .requestProblemInformation: .requestProblemInformation(flag())
        case .willDelayInterval: .willDelayInterval(number())
        case .requestResponseInformation: .requestResponseInformation(flag())
        case .responseInformation: .responseInformation(string())
        case .serverReference: .serverReference(string())
        case .reasonString: .reasonString(string())
        case .receiveMaximum: .receiveMaximum(packetIdentifier())
        case .topicAliasMaximum: .topicAliasMaximum(UInt16(truncatingIfNeeded: random.next()))
        case .topicAlias: .topicAlias(packetIdentifier())
        case .maximumQoS: .maximumQoS(flag())
        case .retainAvailable: .retainAvailable(flag())
        case .userProperty: .userProperty(name: string(), value: string())
        case .maximumPacketSize: .maximumPacketSize(number() + 1)
        case .wildcardSubscriptionAvailable: .wildcardSubscriptionAvailable(flag())
        case .subscriptionIdentifierAvailable: .subscriptionIdentifierAvailable(flag())
        case .sharedSubscriptionAvailable: .sharedSubscriptionAvailable(flag())
        }
    }
}
