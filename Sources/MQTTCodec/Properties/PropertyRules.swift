import MQTTModel

/// How the value of a property is written (table 2-4).
enum PropertyForm {
    case byte, twoByteInteger, fourByteInteger, variableByteInteger, string, stringPair, binary
}

/// The packets that properties are sent in. PUBLISH and DISCONNECT count twice: some properties are allowed in one
/// direction only.
struct PropertyPackets: OptionSet, Sendable {
    let rawValue: UInt16

    static let connect = PropertyPackets(rawValue: 1 << 0)
    static let will = PropertyPackets(rawValue: 1 << 1)
    static let connAck = PropertyPackets(rawValue: 1 << 2)
    static let publishToServer = PropertyPackets(rawValue: 1 << 3)
    static let publishToClient = PropertyPackets(rawValue: 1 << 4)
    /// PUBACK, PUBREC, PUBREL and PUBCOMP.
    static let acknowledgement = PropertyPackets(rawValue: 1 << 5)
    static let subscribe = PropertyPackets(rawValue: 1 << 6)
    static let subAck = PropertyPackets(rawValue: 1 << 7)
    static let unsubscribe = PropertyPackets(rawValue: 1 << 8)
    static let unsubAck = PropertyPackets(rawValue: 1 << 9)
    static let disconnectToServer = PropertyPackets(rawValue: 1 << 10)
    static let disconnectToClient = PropertyPackets(rawValue: 1 << 11)
    static let auth = PropertyPackets(rawValue: 1 << 12)

    static let publish: PropertyPackets = [.publishToServer, .publishToClient]
    static let disconnect: PropertyPackets = [.disconnectToServer, .disconnectToClient]
    static let withReasonString: PropertyPackets = [
        .connAck, .acknowledgement, .subAck, .unsubAck, .disconnect, .auth,
    ]
    static let all = PropertyPackets(rawValue: (1 << 13) - 1)
}

/// The table of properties (2-4), one column a member.
extension PropertyIdentifier {
    var form: PropertyForm {
        switch self {
        case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS,
            .retainAvailable, .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable,
            .sharedSubscriptionAvailable:
            .byte
        case .serverKeepAlive, .receiveMaximum, .topicAliasMaximum, .topicAlias: .twoByteInteger
        case .messageExpiryInterval, .sessionExpiryInterval, .willDelayInterval, .maximumPacketSize: .fourByteInteger
        case .subscriptionIdentifier: .variableByteInteger
        case .contentType, .responseTopic, .assignedClientIdentifier, .authenticationMethod, .responseInformation,
            .serverReference, .reasonString:
            .string
        case .userProperty: .stringPair
        case .correlationData, .authenticationData: .binary
        }
    }

    /// Where the property may be.
    var packets: PropertyPackets {
        switch self {
        case .payloadFormatIndicator, .messageExpiryInterval, .contentType, .responseTopic, .correlationData:
            [.publish, .will]
        case .subscriptionIdentifier: [.publishToClient, .subscribe]  // never in a client's PUBLISH [MQTT-3.3.4-6]
        case .sessionExpiryInterval: [.connect, .connAck, .disconnectToServer]  // [MQTT-3.14.2-2]
        case .assignedClientIdentifier, .serverKeepAlive, .responseInformation, .maximumQoS, .retainAvailable,
            .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable, .sharedSubscriptionAvailable:
            .connAck
        case .authenticationMethod, .authenticationData: [.connect, .connAck, .auth]
        case .requestProblemInformation, .requestResponseInformation: .connect
        case .willDelayInterval: .will
        case .serverReference: [.connAck, .disconnect]
        case .reasonString: .withReasonString
        case .receiveMaximum, .topicAliasMaximum, .maximumPacketSize: [.connect, .connAck]
        case .topicAlias: .publish
        case .userProperty: .all
        }
    }

    /// Whether the property may be there more than once.
    func repeats(in packet: PropertyPackets) -> Bool {
        self == .userProperty || (self == .subscriptionIdentifier && packet == .publishToClient)
    }

    /// Whether a server passes the property on unchanged with the message [MQTT-3.3.2-4, MQTT-3.3.2-15 to
    /// MQTT-3.3.2-18, MQTT-3.3.2-20].
    var isForwarded: Bool {
        switch self {
        case .payloadFormatIndicator, .contentType, .responseTopic, .correlationData, .userProperty: true
        default: false
        }
    }
}
