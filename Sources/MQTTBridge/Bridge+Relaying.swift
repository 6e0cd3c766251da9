import MQTTModel

// Packets of one broker on their way to the other.
extension Bridge {
    mutating func relay(
        _ packet: Packet, from side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]
    ) -> Failure? {
        switch packet {
        case .publish(let publish): return relay(publish, from: side, at: now, into: &actions)
        case .acknowledgement(let acknowledgement):
            return relay(acknowledgement, from: side, at: now, into: &actions)
        case .subAck(let subAck): subscribed(subAck, by: side, at: now, into: &actions)
        case .pingResp: self[side].liveness.pingSentAt = nil
        case .disconnect(let packet):
            return Failure(
                side: side, reason: .disconnected(packet.reasonCode, text: packet.properties.reasonString))
        case .unsubAck: break
        case .connect, .connAck, .subscribe, .unsubscribe, .pingReq, .auth:
            let violation = ProtocolViolation.protocolError(
                "5.0 section 2.1.2", "a packet that a server does not send to a client that is connected")
            return Failure(side: side, reason: .violation(violation))
        }
        return nil
    }

    // MARK: Messages

    private mutating func relay(
        _ publish: Publish, from source: BridgeSide, at now: Instant, into actions: inout [BridgeAction]
    ) -> Failure? {
        guard let message = passedOn(publish.message, from: source, into: &actions) else {
            finish(publish, at: source, at: now, into: &actions)
            return nil
        }
        let target = source.other
        let limits = self[target].limits
        let copy = Publish(
            message: message, qos: min(publish.qos, limits.maximumQoS), packetIdentifier: publish.packetIdentifier,
            isDuplicate: publish.isDuplicate, isRetained: publish.isRetained && limits.isRetainAvailable)
        let length = PublishLayout(
            message: message, version: limits.version, qos: copy.qos, hasExpiry: message.expiryInterval != nil
        ).packetLength
        guard length <= Int(limits.maximumPacketSize ?? .max) else {
            counters.messagesTooLarge += 1
            actions.append(.report(.messageTooLarge(target, topic: message.topicString, bytes: length)))
            finish(publish, at: source, at: now, into: &actions)
            return nil
        }
        return pass(copy, cameWith: publish, to: target, at: now, into: &actions)
    }

    /// The message as the other broker gets it; nil when it is not passed on.
    private mutating func passedOn(
        _ message: ApplicationMessage, from source: BridgeSide, into actions: inout [BridgeAction]
    ) -> ApplicationMessage? {
        let topic = message.topicString
        guard let newTopic = mapping(from: source).map(topic) else {
            counters.messagesUnmatched += 1
            actions.append(.report(.messageUnmatched(source, topic: topic)))
            return nil
        }
        let path = BridgePath(
            source: source == .local ? options.localName : options.remoteName,
            target: source == .local ? options.remoteName : options.localName, maximumHops: options.maximumHops)
        switch path.step(message.properties) {
        case .passOn(let properties): return message.copy(topic: newTopic, properties: properties)
        case .stop:
            counters.loopsStopped += 1
            actions.append(.report(.loopStopped(source, topic: topic)))
            return nil
        }
    }

    private mutating func pass(
        _ copy: Publish, cameWith original: Publish, to target: BridgeSide, at now: Instant,
        into actions: inout [BridgeAction]
    ) -> Failure? {
        if target == .remote { counters.messagesOut += 1 } else { counters.messagesIn += 1 }
        guard copy.qos != .atMostOnce else {
            send(.publish(copy), to: target, at: now, into: &actions)
            // The broker takes no other: nothing more is heard of it.
            finish(original, at: target.other, at: now, into: &actions)
            return nil
        }
        if copy.qos < original.qos { self[target].window.lower(copy.packetIdentifier) }
        if self[target].window.admit(copy) {
            send(.publish(copy), to: target, at: now, into: &actions)
        } else if self[target].window.pendingBytes > options.maximumPendingBytes {
            return Failure(side: target.other, reason: .tooMuchPending)
        }
        return nil
    }

    /// Answers a message that is not passed on, as if it had been.
    private mutating func finish(
        _ publish: Publish, at source: BridgeSide, at now: Instant, into actions: inout [BridgeAction]
    ) {
        switch publish.qos {
        case .atMostOnce: return
        case .atLeastOnce: answer(.pubAck, publish.packetIdentifier, to: source, at: now, into: &actions)
        // PUBREL follows and is passed on; the other broker, which does not know the identifier, completes it.
        case .exactlyOnce: answer(.pubRec, publish.packetIdentifier, to: source, at: now, into: &actions)
        }
    }

    // MARK: Acknowledgements

    private mutating func relay(
        _ packet: Acknowledgement, from side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]
    ) -> Failure? {
        let identifier = packet.packetIdentifier
        switch packet.kind {
        case .pubAck, .pubRec:
            // No room is no verdict on the message: it comes again with the next link.
            if packet.reasonCode == .quotaExceeded { return Failure(side: side, reason: .full) }
            if packet.reasonCode.isError {
                counters.messagesRefused += 1
                actions.append(.report(.messageRefused(side, packet.reasonCode)))
            }
            let isFinished = packet.kind == .pubAck || packet.reasonCode.isError
            let isLowered = isFinished && self[side].window.finish(identifier)
            answer(
                isLowered ? .pubRec : packet.kind, identifier, packet.reasonCode, to: side.other, at: now,
                into: &actions)
        case .pubRel:
            if self[side.other].limits.maximumQoS < .exactlyOnce {
                answer(.pubComp, identifier, to: side, at: now, into: &actions)
            } else {
                answer(.pubRel, identifier, packet.reasonCode, to: side.other, at: now, into: &actions)
            }
        case .pubComp:
            if self[side].releasing != nil {
                released(at: side, at: now, into: &actions)
            } else {
                _ = self[side].window.finish(identifier)
                answer(.pubComp, identifier, packet.reasonCode, to: side.other, at: now, into: &actions)
            }
        }
        sendPending(to: side, at: now, into: &actions)
        return nil
    }

    private mutating func answer(
        _ kind: Acknowledgement.Kind, _ packetIdentifier: PacketIdentifier, _ reasonCode: ReasonCode = .success,
        to side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]
    ) {
        let packet = Acknowledgement(kind, packetIdentifier, reasonCode: reasonCode)
        send(.acknowledgement(packet), to: side, at: now, into: &actions)
    }

    mutating func sendPending(to side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]) {
        while let publish = self[side].window.next() {
            send(.publish(publish), to: side, at: now, into: &actions)
        }
    }
}
