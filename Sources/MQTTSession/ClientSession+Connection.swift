import DequeModule
package import MQTTModel

// How a connection begins and ends (sections 3.1, 3.2, 3.14 and 4.1).
extension ClientSession {
    /// A network connection is open: sends CONNECT on it. The session goes on with it unless the packet asks for a
    /// clean start. An empty client identifier stands for the one that the server has assigned, if it has.
    ///
    /// The session keeps to what the packet promises the server: receive maximum, topic alias maximum.
    package mutating func connect(_ packet: Connect, at now: Instant, into actions: inout [ClientAction]) {
        guard case .none = connection else {
            assertionFailure("a session has one connection at a time")
            return
        }
        connect = packet
        if packet.clientIdentifier.isEmpty { connect.clientIdentifier = clientIdentifier }
        clientIdentifier = connect.clientIdentifier
        connectionEpoch += 1
        received.startConnection()
        inflight.startConnection()
        let offered = connect.version.hasProperties ? connect.properties.topicAliasMaximum ?? 0 : 0
        receivedAliases = ReceivedTopicAliases(maximum: offered)
        sentAliases = SentTopicAliases(maximum: 0)
        connection = .awaitingConnAck(Attempt(deadline: now.advanced(by: limits.connectTimeout)))
        actions.append(.send(.connect(connect)))
    }

    /// The network connection ended from the other side or by a fault.
    package mutating func connectionLost(into actions: inout [ClientAction]) {
        endConnection(.lost, into: &actions)
    }

    /// Ends the connection in order. The session stays, here and, if its expiry says so, at the server.
    ///
    /// In 3.x a DISCONNECT has no reason code, so one that has to say more than "normal" becomes a plain close, after
    /// which the server publishes the will.
    package mutating func disconnect(
        _ packet: Disconnect = Disconnect(), at now: Instant, into actions: inout [ClientAction]
    ) {
        switch connection {
        case .none: return
        case .awaitingConnAck: break
        case .accepted:
            if version.hasProperties || packet.reasonCode == .normalDisconnection {
                send(.disconnect(packet), at: now, into: &actions)
            }
        }
        actions.append(.close)
        endConnection(.requested, into: &actions)
    }

    /// The bytes that arrived were no packet a client accepts; nothing after them was decoded.
    package mutating func violationReceived(
        _ violation: ProtocolViolation, at now: Instant, into actions: inout [ClientAction]
    ) {
        switch connection {
        case .none: return
        case .awaitingConnAck: break
        case .accepted:
            // [MQTT-4.13.1-1]; 3.x has no words for it.
            if version.hasProperties {
                send(.disconnect(Disconnect(reasonCode: violation.reasonCode)), at: now, into: &actions)
            }
        }
        actions.append(.close)
        endConnection(.violation(violation), into: &actions)
    }

    /// Sends AUTH: a step of the authentication that the CONNECT began, or with `.reauthenticate` a new one.
    package mutating func authenticate(_ packet: Auth, at now: Instant, into actions: inout [ClientAction]) {
        guard version.hasProperties else { return }
        if case .none = connection { return }
        send(.auth(packet), at: now, into: &actions)
    }

    mutating func endConnection(_ end: ClientConnectionEnd, into actions: inout [ClientAction]) {
        if case .none = connection { return }
        connection = .none
        let unanswered = requests
        requests.removeAll()
        for request in unanswered { actions.append(.report(.requestUnanswered(request.token))) }
        actions.append(.report(.connectionEnded(end)))
    }

    // MARK: CONNACK

    mutating func connAckReceived(_ connAck: ConnAck, at now: Instant, into actions: inout [ClientAction]) {
        if connAck.isSessionPresent, connAck.reasonCode.isError || connect.cleanStart {
            let violation = ProtocolViolation.protocolError(
                "MQTT-3.2.2-2", "Session Present is set though the connection is refused or asked for a clean start")
            return violationReceived(violation, at: now, into: &actions)
        }
        guard !connAck.reasonCode.isError else {
            actions.append(.report(.connectionRefused(connAck)))
            actions.append(.close)
            return endConnection(.refused(connAck.reasonCode), into: &actions)
        }
        accept(connAck, at: now)
        guard case .accepted(let link) = connection else { return }
        actions.append(.report(.connected(connAck, link.limits)))
        if !connAck.isSessionPresent { discardSession(into: &actions) }
        sessionEpoch = max(sessionEpoch, 1)
        resendReleases(at: now, into: &actions)
        sendWhatFits(at: now, into: &actions)
    }

    private mutating func accept(_ connAck: ConnAck, at now: Instant) {
        let serverLimits = ServerLimits(connAck, to: connect)
        if version.hasProperties, let assigned = connAck.properties.assignedClientIdentifier {
            clientIdentifier = assigned
        }
        sentAliases = SentTopicAliases(
            maximum: min(serverLimits.topicAliasMaximum, limits.maximumOutboundTopicAliases))
        connection = .accepted(
            Link(
                limits: serverLimits, window: Int(min(serverLimits.receiveMaximum, limits.maximumInflightMessages)),
                lastSentAt: now, lastReceivedAt: now))
    }

    /// The server has no session: what is left of the old one goes too [MQTT-3.2.2-5]. Messages that were never sent are
    /// not part of it (section 4.1) and stay.
    private mutating func discardSession(into actions: inout [ClientAction]) {
        received.removeAll()
        if sessionEpoch > 0 { actions.append(.report(.sessionDiscarded)) }
        sessionEpoch += 1
        var republished: [QueuedPublish] = []
        for entry in inflight.removeAll() {
            if let message = entry.message, entry.qos == .atLeastOnce, limits.republishesAfterSessionLoss {
                republished.append(QueuedPublish(token: entry.token, message: message))
                queuedBytes += message.byteCount
            } else {
                actions.append(.report(.published(entry.token, .sessionLost)))
            }
        }
        queue.prepend(contentsOf: republished)
    }
}
