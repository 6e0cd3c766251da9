package import MQTTModel

// Packets from the server, and the messages among them (sections 3.3 to 3.7, 4.3 and 4.13).
extension ClientSession {
    package mutating func packetReceived(_ packet: Packet, at now: Instant, into actions: inout [ClientAction]) {
        switch connection {
        case .none:
            return
        case .awaitingConnAck:
            firstPacketReceived(packet, at: now, into: &actions)
        case .accepted(var link):
            link.lastReceivedAt = now
            connection = .accepted(link)
            laterPacketReceived(packet, at: now, into: &actions)
        }
    }

    private mutating func firstPacketReceived(
        _ packet: Packet, at now: Instant, into actions: inout [ClientAction]
    ) {
        switch packet {
        case .connAck(let connAck):
            connAckReceived(connAck, at: now, into: &actions)
        case .auth(let auth) where connect.properties.authenticationMethod != nil:
            actions.append(.report(.authenticationReceived(auth)))
        case .auth, .connect, .publish, .acknowledgement, .subscribe, .subAck, .unsubscribe, .unsubAck, .pingReq,
            .pingResp, .disconnect:
            violationReceived(
                .protocolError("MQTT-3.2.0-1", "the first packet of the server is not a CONNACK"), at: now,
                into: &actions)
        }
    }

    private mutating func laterPacketReceived(
        _ packet: Packet, at now: Instant, into actions: inout [ClientAction]
    ) {
        switch packet {
        case .publish(let publish): publishReceived(publish, at: now, into: &actions)
        case .acknowledgement(let acknowledgement):
            acknowledgementReceived(acknowledgement, at: now, into: &actions)
        case .subAck(let subAck): subAckReceived(subAck, at: now, into: &actions)
        case .unsubAck(let unsubAck): unsubAckReceived(unsubAck, at: now, into: &actions)
        case .pingResp: pingRespReceived()
        case .disconnect(let disconnect) where version.hasProperties:
            actions.append(.close)
            endConnection(.disconnectedByServer(disconnect), into: &actions)
        case .auth(let auth) where version.hasProperties && connect.properties.authenticationMethod != nil:
            actions.append(.report(.authenticationReceived(auth)))
        case .connAck:
            violationReceived(
                .protocolError("MQTT-3.2.0-2", "a second CONNACK"), at: now, into: &actions)
        case .connect, .subscribe, .unsubscribe, .pingReq, .disconnect, .auth:
            violationReceived(
                .protocolError("5.0 section 2.1.2", "a packet that a server does not send"), at: now, into: &actions)
        }
    }

    // MARK: PUBLISH

    private mutating func publishReceived(_ publish: Publish, at now: Instant, into actions: inout [ClientAction]) {
        var publish = publish
        do throws(ProtocolViolation) {
            publish.message = try receivedAliases.resolve(publish)
        } catch {
            return violationReceived(error, at: now, into: &actions)
        }
        publish.topicAlias = 0
        guard publish.message.topicLength > 0 else {
            return violationReceived(
                .protocolError("5.0 section 3.3.2.1", "a PUBLISH has neither a topic nor an alias"), at: now,
                into: &actions)
        }
        guard publish.qos == .atMostOnce || publish.packetIdentifier != 0 else {
            return violationReceived(
                .protocolError("MQTT-2.2.1-4", "a PUBLISH with QoS > 0 has the packet identifier 0"), at: now,
                into: &actions)
        }
        switch publish.qos {
        case .atMostOnce:
            actions.append(.report(.messageReceived(publish, nil)))
        case .atLeastOnce:
            guard checkReceiveMaximum(at: now, into: &actions) else { return }
            received.receiveAtLeastOnce()
            report(publish, epoch: connectionEpoch, at: now, into: &actions)
        case .exactlyOnce:
            exactlyOncePublishReceived(publish, at: now, into: &actions)
        }
    }

    private mutating func exactlyOncePublishReceived(
        _ publish: Publish, at now: Instant, into actions: inout [ClientAction]
    ) {
        switch received.receiveExactlyOnce(publish.packetIdentifier, connection: connectionEpoch) {
        case .new:
            // The new one is counted already.
            guard received.unfinishedCount <= receiveMaximum else {
                return violationReceived(ClientSession.receiveMaximumExceeded, at: now, into: &actions)
            }
            report(publish, epoch: sessionEpoch, at: now, into: &actions)
        case .taken:
            // The same message again: not for the application a second time [MQTT-4.3.3-10].
            send(.acknowledgement(Acknowledgement(.pubRec, publish.packetIdentifier)), at: now, into: &actions)
        case .waiting:
            break
        }
    }

    private mutating func report(
        _ publish: Publish, epoch: UInt64, at now: Instant, into actions: inout [ClientAction]
    ) {
        let receipt = ReceiptToken(packetIdentifier: publish.packetIdentifier, qos: publish.qos, epoch: epoch)
        if limits.acknowledgesAutomatically {
            actions.append(.report(.messageReceived(publish, nil)))
            acknowledge(receipt, at: now, into: &actions)
        } else {
            actions.append(.report(.messageReceived(publish, receipt)))
        }
    }

    /// What the CONNECT promised the server to take at a time.
    private var receiveMaximum: Int {
        version.hasProperties ? Int(connect.properties.receiveMaximum ?? .max) : Int(UInt16.max)
    }

    private static var receiveMaximumExceeded: ProtocolViolation {
        ProtocolViolation(
            .receiveMaximumExceeded, clause: "MQTT-3.3.4-9", "more QoS 1 and 2 messages than the Receive Maximum")
    }

    private mutating func checkReceiveMaximum(at now: Instant, into actions: inout [ClientAction]) -> Bool {
        if received.unfinishedCount < receiveMaximum { return true }
        violationReceived(ClientSession.receiveMaximumExceeded, at: now, into: &actions)
        return false
    }

    // MARK: Acknowledging

    /// The application has taken the message: sends PUBACK or PUBREC, if the connection is the one it has to be sent on.
    /// On a later connection a QoS 1 message comes again, and a QoS 2 message is known when it does.
    package mutating func acknowledge(
        _ receipt: ReceiptToken, at now: Instant, into actions: inout [ClientAction]
    ) {
        switch receipt.qos {
        case .atMostOnce:
            return
        case .atLeastOnce:
            guard receipt.epoch == connectionEpoch, isConnected else { return }
            received.finishAtLeastOnce()
            send(.acknowledgement(Acknowledgement(.pubAck, receipt.packetIdentifier)), at: now, into: &actions)
        case .exactlyOnce:
            guard receipt.epoch == sessionEpoch, let connection = received.take(receipt.packetIdentifier),
                connection == connectionEpoch, isConnected
            else { return }
            send(.acknowledgement(Acknowledgement(.pubRec, receipt.packetIdentifier)), at: now, into: &actions)
        }
    }

    /// A PUBREL is answered with PUBCOMP whether its identifier is known or not [MQTT-4.3.3-11].
    mutating func pubRelReceived(_ packet: Acknowledgement, at now: Instant, into actions: inout [ClientAction]) {
        let isKnown = received.release(packet.packetIdentifier, connection: connectionEpoch)
        let reasonCode: ReasonCode = isKnown || !version.hasProperties ? .success : .packetIdentifierNotFound
        let complete = Acknowledgement(.pubComp, packet.packetIdentifier, reasonCode: reasonCode)
        send(.acknowledgement(complete), at: now, into: &actions)
    }
}
