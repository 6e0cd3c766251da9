import MQTTSession
import MQTTModel

extension BrokerCore {
    mutating func connectionOpened(_ connection: ConnectionID, at now: Instant, into effects: inout Effects) {
        counters.connectionsAccepted += 1
        connections.open(connection)
        guard connections.openCount <= limits.maximumConnections, !isShuttingDown else {
            counters.connectionsRefused += 1
            close(connection, into: &effects)
            return
        }
        arm(.connectTimeout(connection), at: now.advanced(by: limits.connectTimeout))
    }

    mutating func handle(
        _ packet: Packet, on connection: ConnectionID, at now: Instant,
        using random: inout some RandomNumberGenerator, into effects: inout Effects
    ) {
        guard let slot = connections.session(of: connection), let session = sessions.slots[slot] else {
            if connections.phase(of: connection) == .admitting {
                authenticationContinued(with: packet, on: connection, at: now, into: &effects)
                return
            }
            guard connections.phase(of: connection) == .awaitingConnect else { return }
            guard case .connect(let connect) = packet else {
                refuse(
                    connection, for: .protocolError("MQTT-3.1.0-1", "the first packet is not a CONNECT"), version: nil,
                    at: now, into: &effects)
                return
            }
            connectReceived(connect, on: connection, at: now, using: &random, into: &effects)
            return
        }
        session.online?.lastReceived = now
        do throws(ProtocolViolation) {
            try packetReceived(packet, from: session, on: connection, at: now, into: &effects)
        } catch {
            refuse(connection, for: error, version: session.online?.version, at: now, into: &effects)
        }
    }

    /// A packet of a connected client.
    private mutating func packetReceived(
        _ packet: Packet, from session: Session, on connection: ConnectionID, at now: Instant,
        into effects: inout Effects
    ) throws(ProtocolViolation) {
        switch packet {
        case .publish(let publish):
            try publishReceived(publish, from: session, on: connection, at: now, into: &effects)
        case .acknowledgement(let acknowledgement):
            try acknowledgementReceived(acknowledgement, from: session, on: connection, at: now, into: &effects)
        case .subscribe(let subscribe):
            try subscribeReceived(subscribe, from: session, on: connection, at: now, into: &effects)
        case .unsubscribe(let unsubscribe):
            try unsubscribeReceived(unsubscribe, from: session, on: connection, into: &effects)
        case .pingReq:
            effects.all.append(.send(connection, .pingResp))
        case .disconnect(let disconnect):
            try disconnectReceived(disconnect, from: session, on: connection, at: now, into: &effects)
        case .connect:
            throw .protocolError("MQTT-3.1.0-2", "a second CONNECT")
        case .auth(let auth):
            try authReceived(auth, from: session, on: connection, at: now, into: &effects)
        case .connAck, .subAck, .unsubAck, .pingResp:
            throw .protocolError("5.0 section 2.1.2", "a packet that only a server sends")
        }
    }

    /// The network connection ended without a word of ours.
    mutating func connectionClosed(_ connection: ConnectionID, at now: Instant, into effects: inout Effects) {
        guard let slot = connections.session(of: connection), let session = sessions.slots[slot] else {
            forget(connection)
            return
        }
        forget(connection)
        effects.all.append(.report(.connectionLost(clientIdentifier: session.clientIdentifier)))
        connectionEnded(of: session, keepsWill: true, at: now, into: &effects)
    }

    /// Answers a client that broke the standard and ends its connection, as its version has it: 5.0 is told the reason,
    /// before its session in a CONNACK, after it in a DISCONNECT; 3.x is told nothing but an unsupported version
    /// [MQTT-4.8.0-1 of 3.1.1, MQTT-4.13.1-1].
    mutating func refuse(
        _ connection: ConnectionID, for violation: ProtocolViolation, version: ProtocolVersion?, at now: Instant,
        into effects: inout Effects
    ) {
        guard connections.phase(of: connection) != .closed else { return }
        counters.protocolViolations += 1
        if let slot = connections.session(of: connection), let session = sessions.slots[slot] {
            report(.protocolViolated(clientIdentifier: session.clientIdentifier, violation), into: &effects)
            disconnect(
                session, reasonCode: violation.reasonCode, detail: violation.detail, at: now, into: &effects)
            return
        }
        report(.protocolViolated(clientIdentifier: nil, violation), into: &effects)
        counters.connectionsRefused += 1
        if version == .v5_0 || (version != nil && violation.reasonCode == .unsupportedProtocolVersion) {
            effects.all.append(.send(connection, .connAck(ConnAck(reasonCode: violation.reasonCode))))
        }
        close(connection, into: &effects)
    }

    /// Ends a client's connection from our side: DISCONNECT with the reason in 5.0, then close. Its will stands.
    mutating func disconnect(
        _ session: Session, reasonCode: ReasonCode, detail: String? = nil, serverReference: String? = nil,
        keepsWill: Bool = true, at now: Instant, into effects: inout Effects
    ) {
        guard let online = session.online else { return }
        // Before its CONNACK a client is told nothing.
        if online.version == .v5_0, !online.isGated {
            var packet = Disconnect(reasonCode: reasonCode)
            if let detail, online.wantsProblemInformation, fits(detail, in: online.maximumPacketSize) {
                packet.properties.append(.reasonString(detail))
            }
            if let serverReference, fits(serverReference, in: online.maximumPacketSize) {
                packet.properties.append(.serverReference(serverReference))
            }
            effects.all.append(.send(online.connection, .disconnect(packet)))
        }
        close(online.connection, into: &effects)
        report(.clientDisconnected(clientIdentifier: session.clientIdentifier, reasonCode), into: &effects)
        connectionEnded(of: session, keepsWill: keepsWill, at: now, into: &effects)
    }

    /// Whether a packet with little more than `text` keeps to the client's Maximum Packet Size [MQTT-3.14.2-3]: what
    /// stands around it takes at most 16 bytes.
    private func fits(_ text: String, in maximumPacketSize: Int?) -> Bool {
        guard let maximumPacketSize else { return true }
        return text.utf8.count + 16 <= maximumPacketSize
    }

    mutating func close(_ connection: ConnectionID, into effects: inout Effects) {
        forget(connection)
        effects.all.append(.close(connection))
    }

    /// The core's last word on a connection; its entries in the queue of deadlines have lost their owner.
    private mutating func forget(_ connection: ConnectionID) {
        guard connections.phase(of: connection) != .closed else { return }
        connections.close(connection)
        authentications[connection] = nil
        delayedConnects[connection] = nil
        abandonDeadline()
    }

    func report(_ event: BrokerEvent, into effects: inout Effects) {
        effects.all.append(.report(event))
    }
}
