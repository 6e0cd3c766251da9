import MQTTModel

/// Answers that could be larger than the client's Maximum Packet Size [MQTT-3.1.2-24]. The others are at most six bytes,
/// or leave their reason string out.
extension BrokerCore {
    /// Whether a successful CONNACK with these properties is a packet that the client takes.
    func connAckFits(_ properties: Properties, in maximumPacketSize: UInt32?) -> Bool {
        guard let maximumPacketSize else { return true }
        let length = properties.all.reduce(0) { $0 + $1.encodedLength }
        let remainingLength = 2 + VariableByteInteger.length(of: length) + length
        return packetLength(remainingLength: remainingLength) <= Int(maximumPacketSize)
    }

    /// Refuses a SUBSCRIBE or UNSUBSCRIBE of `filterCount` filters before it does anything, if its answer would be too
    /// large for the client.
    func checkAnswerFits(filterCount: Int, session: Session) throws(ProtocolViolation) {
        guard let maximumPacketSize = session.online?.maximumPacketSize,
            packetLength(remainingLength: 3 + filterCount) > maximumPacketSize
        else { return }
        throw ProtocolViolation(
            .packetTooLarge, clause: "MQTT-3.1.2-24", "the answer would be above the client's Maximum Packet Size")
    }

    /// Whether an AUTH with this method and data is a packet that the client takes.
    func authFits(method: String, data: [UInt8], in maximumPacketSize: Int?) -> Bool {
        guard let maximumPacketSize else { return true }
        let length = 3 + method.utf8.count + (data.isEmpty ? 0 : 3 + data.count)
        return packetLength(remainingLength: 1 + VariableByteInteger.length(of: length) + length) <= maximumPacketSize
    }

    private func packetLength(remainingLength: Int) -> Int {
        1 + VariableByteInteger.length(of: remainingLength) + remainingLength
    }
}

extension Property {
    /// Bytes of the property on the wire, with its identifier (5.0 section 2.2.2).
    fileprivate var encodedLength: Int {
        switch self {
        case .payloadFormatIndicator, .requestProblemInformation, .requestResponseInformation, .maximumQoS,
            .retainAvailable, .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable,
            .sharedSubscriptionAvailable:
            2
        case .serverKeepAlive, .receiveMaximum, .topicAliasMaximum, .topicAlias: 3
        case .messageExpiryInterval, .sessionExpiryInterval, .willDelayInterval, .maximumPacketSize: 5
        case .subscriptionIdentifier(let identifier): 1 + VariableByteInteger.length(of: Int(identifier))
        case .contentType(let text), .responseTopic(let text), .assignedClientIdentifier(let text),
            .authenticationMethod(let text), .responseInformation(let text), .serverReference(let text),
            .reasonString(let text):
            3 + text.utf8.count
        case .correlationData(let data), .authenticationData(let data): 3 + data.count
        case .userProperty(let name, let value): 5 + name.utf8.count + value.utf8.count
        }
    }
}
