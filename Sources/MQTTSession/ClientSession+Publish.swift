import DequeModule
package import MQTTModel

/// A publication that was not sent yet.
struct QueuedPublish {
    let token: PublishToken
    let message: ApplicationMessage
}

// Publications of the client (sections 3.3 to 3.7, 4.3 and 4.9).
extension ClientSession {
    /// Publishes `message` with its QoS and RETAIN flag. QoS 0 is sent or refused at once; QoS 1 and 2 are sent when the
    /// window has room, now or on a later connection, and `published` reports their end.
    ///
    /// - Returns: the token that `published` will carry; nil with QoS 0, of which nothing more is heard.
    package mutating func publish(
        _ message: ApplicationMessage, at now: Instant, into actions: inout [ClientAction]
    ) throws(PublishRefusal) -> PublishToken? {
        if case .accepted(let link) = connection { try check(message, against: link.limits) }
        if message.qos == .atMostOnce {
            guard isConnected else { throw .notConnected }
            sendPublish(message, packetIdentifier: 0, isDuplicate: false, at: now, into: &actions)
            return nil
        }
        guard hasRoom else { throw .queueFull }
        let token = PublishToken(number: makeToken())
        queue.append(QueuedPublish(token: token, message: message))
        queuedBytes += message.byteCount
        sendWhatFits(at: now, into: &actions)
        return token
    }

    /// Sends, in the order of their first sending, what a resumed session has to send again [MQTT-4.4.0-1], and then
    /// what waits, until the window is full [MQTT-3.3.4-7].
    mutating func sendWhatFits(at now: Instant, into actions: inout [ClientAction]) {
        guard case .accepted(let link) = connection else { return }
        while inflight.sentCount < link.window {
            if let entry = inflight.nextToResend() {
                guard let message = entry.message else { continue }
                sendPublish(
                    message, packetIdentifier: entry.packetIdentifier, isDuplicate: true, at: now, into: &actions)
            } else if let next = queue.popFirst() {
                queuedBytes -= next.message.byteCount
                sendFirst(next, limits: link.limits, at: now, into: &actions)
            } else {
                return
            }
        }
    }

    /// PUBREL is not held back by the window: it takes none of it [MQTT-4.9.0-3].
    mutating func resendReleases(at now: Instant, into actions: inout [ClientAction]) {
        for packetIdentifier in inflight.releasesToResend() {
            send(.acknowledgement(Acknowledgement(.pubRel, packetIdentifier)), at: now, into: &actions)
        }
    }

    private mutating func sendFirst(
        _ publish: QueuedPublish, limits: ServerLimits, at now: Instant, into actions: inout [ClientAction]
    ) {
        do throws(PublishRefusal) {
            try check(publish.message, against: limits)
        } catch {
            actions.append(.report(.published(publish.token, .refused(error))))
            return
        }
        let packetIdentifier = makePacketIdentifier()
        inflight.append(token: publish.token, packetIdentifier: packetIdentifier, message: publish.message)
        sendPublish(
            publish.message, packetIdentifier: packetIdentifier, isDuplicate: false, at: now, into: &actions)
    }

    private func check(_ message: ApplicationMessage, against limits: ServerLimits) throws(PublishRefusal) {
        guard message.qos <= limits.maximumQoS else { throw .qosNotSupported }
        guard !message.isRetained || limits.isRetainAvailable else { throw .retainNotSupported }
        guard let maximum = limits.maximumPacketSize else { return }
        let layout = PublishLayout(
            message: message, version: version, qos: message.qos, hasTopicAlias: sentAliases.maximum > 0,
            hasExpiry: message.expiryInterval != nil)
        guard layout.packetLength <= Int(maximum) else { throw .packetTooLarge }
    }

    private mutating func sendPublish(
        _ message: ApplicationMessage, packetIdentifier: PacketIdentifier, isDuplicate: Bool, at now: Instant,
        into actions: inout [ClientAction]
    ) {
        var publish = Publish(
            message: message, qos: message.qos, packetIdentifier: packetIdentifier, isDuplicate: isDuplicate,
            isRetained: message.isRetained)
        if sentAliases.maximum > 0 {
            let (alias, isKnown) = sentAliases.alias(for: message.topic)
            publish.topicAlias = alias
            if isKnown { publish.message = message.copy(withTopic: UnsafeRawBufferPointer(start: nil, count: 0)) }
        }
        send(.publish(publish), at: now, into: &actions)
    }

    // MARK: Acknowledgements of the server

    mutating func acknowledgementReceived(
        _ packet: Acknowledgement, at now: Instant, into actions: inout [ClientAction]
    ) {
        switch packet.kind {
        case .pubAck: pubAckReceived(packet, at: now, into: &actions)
        case .pubRec: pubRecReceived(packet, at: now, into: &actions)
        case .pubComp: pubCompReceived(packet, at: now, into: &actions)
        case .pubRel: pubRelReceived(packet, at: now, into: &actions)
        }
    }

    /// An answer to nothing is ignored: it may be late, from before a session was lost.
    private mutating func pubAckReceived(
        _ packet: Acknowledgement, at now: Instant, into actions: inout [ClientAction]
    ) {
        guard let entry = inflight.entry(for: packet.packetIdentifier) else { return }
        guard entry.qos == .atLeastOnce, entry.isSent else {
            return violationReceived(
                .protocolError("MQTT-4.3.2-2", "PUBACK for a message that was not sent with QoS 1"), at: now,
                into: &actions)
        }
        finish(entry, .acknowledged(packet.reasonCode, packet.properties), at: now, into: &actions)
    }

    private mutating func pubRecReceived(
        _ packet: Acknowledgement, at now: Instant, into actions: inout [ClientAction]
    ) {
        guard let entry = inflight.entry(for: packet.packetIdentifier) else {
            // The server holds a message that this session has forgotten: let it forget too (5.0 section 4.3.3).
            guard !packet.reasonCode.isError else { return }
            let release = Acknowledgement(
                .pubRel, packet.packetIdentifier,
                reasonCode: version.hasProperties ? .packetIdentifierNotFound : .success)
            return send(.acknowledgement(release), at: now, into: &actions)
        }
        guard entry.qos == .exactlyOnce, entry.isSent else {
            return violationReceived(
                .protocolError("MQTT-4.3.3-4", "PUBREC for a message that was not sent with QoS 2"), at: now,
                into: &actions)
        }
        guard !packet.reasonCode.isError else {
            return finish(entry, .acknowledged(packet.reasonCode, packet.properties), at: now, into: &actions)
        }
        if entry.received == nil {
            inflight.setReceived(
                packet.packetIdentifier, reasonCode: packet.reasonCode, properties: packet.properties)
        }
        send(.acknowledgement(Acknowledgement(.pubRel, packet.packetIdentifier)), at: now, into: &actions)
    }

    private mutating func pubCompReceived(
        _ packet: Acknowledgement, at now: Instant, into actions: inout [ClientAction]
    ) {
        guard let entry = inflight.entry(for: packet.packetIdentifier) else { return }
        guard let received = entry.received else {
            return violationReceived(
                .protocolError("MQTT-4.3.3-4", "PUBCOMP before PUBREC"), at: now, into: &actions)
        }
        // A PUBCOMP "packet identifier not found" is no error after a reconnect (5.0 section 3.7.2.1).
        finish(entry, .acknowledged(received.reasonCode, received.properties), at: now, into: &actions)
    }

    private mutating func finish(
        _ entry: ClientInflight.Entry, _ outcome: PublishOutcome, at now: Instant, into actions: inout [ClientAction]
    ) {
        inflight.remove(entry.packetIdentifier)
        actions.append(.report(.published(entry.token, outcome)))
        sendWhatFits(at: now, into: &actions)
    }
}
