package import MQTTCodec
package import MQTTModel

/// Makes valid packets of every kind, version and direction, from a seed.
///
/// Only what the version can say: decoding the encoded packet gives the same packet.
package struct PacketGenerator {
    package var random: SeededRandom
    let version: ProtocolVersion
    /// The side that the packets are for.
    private let receiver: PacketDecoder.Role

    package init(seed: UInt64, version: ProtocolVersion, receiver: PacketDecoder.Role) {
        self.random = SeededRandom(seed: seed)
        self.version = version
        self.receiver = receiver
    }

    /// A packet that `receiver` accepts once the connection stands.
    package mutating func packet() -> Packet {
        let common: [PacketType] = [.publish, .publish, .publish, .pubAck, .pubRec, .pubRel, .pubComp]
        var types = common
        switch receiver {
        case .server: types += [.subscribe, .unsubscribe, .pingReq, .disconnect]
        case .client: types += [.connAck, .subAck, .unsubAck, .pingResp]
        }
        if version == .v5_0 { types += receiver == .client ? [.disconnect, .auth] : [.auth] }
        return packet(of: random.pick(types))
    }

    package mutating func packet(of type: PacketType) -> Packet {
        switch type {
        case .connect: .connect(connect())
        case .connAck: .connAck(connAck())
        case .publish: .publish(publish())
        case .pubAck: .acknowledgement(acknowledgement(.pubAck))
        case .pubRec: .acknowledgement(acknowledgement(.pubRec))
        case .pubRel: .acknowledgement(acknowledgement(.pubRel))
        case .pubComp: .acknowledgement(acknowledgement(.pubComp))
        case .subscribe: .subscribe(subscribe())
        case .subAck: .subAck(subAck())
        case .unsubscribe: .unsubscribe(unsubscribe())
        case .unsubAck: .unsubAck(unsubAck())
        case .pingReq: .pingReq
        case .pingResp: .pingResp
        case .disconnect: .disconnect(disconnect())
        case .auth: .auth(auth())
        }
    }

    package mutating func connect() -> Connect {
        var connect = Connect(
            version: version, clientIdentifier: string(), cleanStart: random.once(in: 2),
            keepAlive: UInt16(truncatingIfNeeded: random.next()),
            properties: properties([
                .sessionExpiryInterval, .receiveMaximum, .maximumPacketSize, .topicAliasMaximum,
                .requestResponseInformation, .requestProblemInformation, .userProperty, .authenticationMethod,
            ]))
        if connect.properties.authenticationMethod != nil { connect.properties.append(.authenticationData(binary())) }
        if random.once(in: 2) {
            connect.will = Will(message: message(), delayInterval: version == .v5_0 ? number() : 0)
        }
        if random.once(in: 2) { connect.userName = string() }
        if random.once(in: 2), connect.userName != nil || version == .v5_0 { connect.password = binary() }
        return connect
    }

    private mutating func connAck() -> ConnAck {
        let codes: [ReasonCode] =
            version == .v5_0
            ? [.success, .unspecifiedError, .notAuthorized, .badAuthenticationMethod, .connectionRateExceeded]
            : (0...5).compactMap { ConnAck.reasonCode(forReturnCode: $0) }
        let code = random.pick(codes)
        return ConnAck(
            isSessionPresent: code == .success && version != .v3_1 && random.once(in: 2), reasonCode: code,
            properties: properties([
                .sessionExpiryInterval, .receiveMaximum, .maximumQoS, .retainAvailable, .maximumPacketSize,
                .assignedClientIdentifier, .topicAliasMaximum, .reasonString, .userProperty,
                .wildcardSubscriptionAvailable, .subscriptionIdentifierAvailable, .sharedSubscriptionAvailable,
                .serverKeepAlive, .responseInformation, .serverReference, .authenticationMethod,
            ]))
    }

    private mutating func publish() -> Publish {
        let qos = random.pick(QoS.allCases)
        let message = message()
        message.qos = qos
        var publish = Publish(
            message: message, qos: qos, packetIdentifier: qos == .atMostOnce ? 0 : packetIdentifier(),
            isDuplicate: qos != .atMostOnce && random.once(in: 3), isRetained: message.isRetained)
        guard version == .v5_0 else { return publish }
        if random.once(in: 3) { publish.topicAlias = packetIdentifier() }
        if receiver == .client {
            publish.subscriptionIdentifiers = (0..<random.below(4)).map { _ in subscriptionIdentifier() }
        }
        return publish
    }

    private mutating func acknowledgement(_ kind: Acknowledgement.Kind) -> Acknowledgement {
        var acknowledgement = Acknowledgement(kind, packetIdentifier())
        guard version == .v5_0 else { return acknowledgement }
        let isAnswerToPublish = kind == .pubAck || kind == .pubRec
        acknowledgement.reasonCode = random.pick(
            isAnswerToPublish
                ? [.success, .noMatchingSubscribers, .quotaExceeded, .topicNameInvalid]
                : [.success, .packetIdentifierNotFound])
        acknowledgement.properties = properties([.reasonString, .userProperty])
        return acknowledgement
    }

    private mutating func subscribe() -> Subscribe {
        var subscribe = Subscribe(packetIdentifier: packetIdentifier(), entries: [])
        for _ in 0...random.below(4) {
            var options = SubscriptionOptions(maximumQoS: random.pick(QoS.allCases))
            if version == .v5_0 {
                options.noLocal = random.once(in: 2)
                options.retainAsPublished = random.once(in: 2)
                options.retainHandling = random.pick([.sendAtSubscribe, .sendIfNewSubscription, .doNotSend])
            }
            subscribe.entries.append(.init(filter: string(), options: options))
        }
        subscribe.properties = properties([.subscriptionIdentifier, .userProperty])
        return subscribe
    }

    private mutating func subAck() -> SubAck {
        let codes: [ReasonCode] =
            version == .v5_0
            ? [.grantedQoS0, .grantedQoS1, .grantedQoS2, .notAuthorized, .topicFilterInvalid]
            : [.grantedQoS0, .grantedQoS1, .grantedQoS2, .unspecifiedError]
        return SubAck(
            packetIdentifier: packetIdentifier(), reasonCodes: (0...random.below(4)).map { _ in random.pick(codes) },
            properties: properties([.reasonString, .userProperty]))
    }

    private mutating func unsubscribe() -> Unsubscribe {
        Unsubscribe(
            packetIdentifier: packetIdentifier(), filters: (0...random.below(4)).map { _ in string() },
            properties: properties([.userProperty]))
    }

    private mutating func unsubAck() -> UnsubAck {
        let codes: [ReasonCode] = [.success, .noSubscriptionExisted, .packetIdentifierInUse]
        return UnsubAck(
            packetIdentifier: packetIdentifier(),
            reasonCodes: version == .v5_0 ? (0...random.below(4)).map { _ in random.pick(codes) } : [],
            properties: properties([.reasonString, .userProperty]))
    }

    private mutating func disconnect() -> Disconnect {
        guard version == .v5_0 else { return Disconnect() }
        let toServer: [ReasonCode] = [.normalDisconnection, .disconnectWithWill, .unspecifiedError, .packetTooLarge]
        let toClient: [ReasonCode] = [.normalDisconnection, .serverShuttingDown, .sessionTakenOver, .serverMoved]
        return Disconnect(
            reasonCode: random.pick(receiver == .server ? toServer : toClient),
            properties: properties(
                [.reasonString, .userProperty, .serverReference]
                    + (receiver == .server ? [.sessionExpiryInterval] : [])))
    }

    private mutating func auth() -> Auth {
        Auth(
            reasonCode: receiver == .server
                ? random.pick([.continueAuthentication, .reauthenticate])
                : random.pick([.success, .continueAuthentication]),
            properties: properties([.authenticationMethod, .reasonString, .userProperty]))
    }
}
