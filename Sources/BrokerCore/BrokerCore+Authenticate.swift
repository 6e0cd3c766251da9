import AccessControl
import MQTTModel

/// Finding out who a client is. The core asks and waits; the answer comes as an input, from whoever knows. While it waits
/// for the authenticator nothing is read from the client, so what it has sent behind its CONNECT stays where it is.
extension BrokerCore {
    /// A CONNECT that could be accepted, if its client is let in.
    mutating func beginAuthentication(
        _ connect: Connect, clientIdentifier: String, on connection: ConnectionID, at now: Instant,
        into effects: inout Effects
    ) {
        guard authentications.count < limits.maximumPendingAuthentications else {
            counters.authenticationsRefused += 1
            refuseConnect(connect, on: connection, reasonCode: .serverBusy, into: &effects)
            return
        }
        connections.setAdmitting(connection)
        abandonDeadline()
        authentications[connection] = PendingAuthentication(
            connect: connect, clientIdentifier: clientIdentifier, turn: .authenticator)
        arm(.authenticationTimeout(connection), at: now.advanced(by: limits.authenticationTimeout))
        effects.all.append(.pauseReading(connection))
        let request = AuthenticationRequest(
            clientIdentifier: clientIdentifier, userName: connect.userName, password: connect.password,
            method: connect.properties.authenticationMethod, data: connect.properties.authenticationData ?? [])
        effects.all.append(.authenticate(connection, request))
    }

    /// A packet between CONNECT and CONNACK: the client's part of an enhanced authentication [MQTT-3.1.2-30].
    mutating func authenticationContinued(
        with packet: Packet, on connection: ConnectionID, at now: Instant, into effects: inout Effects
    ) {
        guard let pending = authentications[connection] else { return }
        if case .disconnect = packet { return close(connection, into: &effects) }
        guard case .auth(let auth) = packet, case .client(let exchange) = pending.turn,
            let method = pending.connect.properties.authenticationMethod,
            auth.reasonCode == .continueAuthentication, names(auth, method)
        else {
            let violation = ProtocolViolation.protocolError(
                "MQTT-3.1.2-30", "before CONNACK only AUTH 0x18 with the method of the CONNECT")
            return refuse(connection, for: violation, version: pending.connect.version, at: now, into: &effects)
        }
        authentications[connection]?.turn = .authenticator
        effects.all.append(.pauseReading(connection))
        let request = AuthenticationRequest(
            clientIdentifier: pending.clientIdentifier, userName: pending.connect.userName,
            password: pending.connect.password, method: method, data: auth.properties.authenticationData ?? [],
            exchange: exchange)
        effects.all.append(.authenticate(connection, request))
    }

    /// The authenticator has answered.
    mutating func authenticated(
        _ connection: ConnectionID, _ outcome: AuthenticationOutcome, at now: Instant,
        using random: inout some RandomNumberGenerator, into effects: inout Effects
    ) {
        guard let pending = authentications[connection] else {
            renewalAnswered(connection, outcome, at: now, into: &effects)
            return
        }
        guard case .authenticator = pending.turn else { return }
        switch outcome {
        case .allowed(let grant):
            authentications[connection] = nil
            admit(
                pending.connect, clientIdentifier: pending.clientIdentifier, grant, on: connection, at: now,
                into: &effects)
            guard let slot = connections.session(of: connection), sessions.slots[slot]?.online?.isGated == false
            else { return }
            effects.all.append(.resumeReading(connection))
        case .denied(let reasonCode):
            counters.authenticationsDenied += 1
            let event = BrokerEvent.authenticationDenied(
                connection, clientIdentifier: pending.clientIdentifier, userName: pending.connect.userName, reasonCode)
            refuseConnect(pending.connect, on: connection, reasonCode: reasonCode, event: event, into: &effects)
        case .challenge(let data, let exchange):
            let maximumPacketSize = pending.connect.properties.maximumPacketSize.map(Int.init)
            guard let method = pending.connect.properties.authenticationMethod,
                authFits(method: method, data: data, in: maximumPacketSize)
            else {
                refuseConnect(pending.connect, on: connection, reasonCode: .packetTooLarge, into: &effects)
                return
            }
            authentications[connection]?.turn = .client(exchange)
            send(auth: .continueAuthentication, method: method, data: data, on: connection, into: &effects)
            effects.all.append(.resumeReading(connection))
        }
    }

    /// Checking a client, at its CONNECT or later, has taken too long.
    mutating func authenticationTimedOut(_ connection: ConnectionID, at now: Instant, into effects: inout Effects) {
        if let pending = authentications[connection] {
            counters.authenticationTimeouts += 1
            refuseConnect(pending.connect, on: connection, reasonCode: .serverUnavailable, into: &effects)
            return
        }
        guard let slot = connections.session(of: connection), let session = sessions.slots[slot] else {
            return claimTimedOut(connection, into: &effects)
        }
        guard let authentication = session.authentication, authentication.turn != nil, authentication.dueAt <= now
        else { return }
        counters.authenticationTimeouts += 1
        disconnect(session, reasonCode: .notAuthorized, at: now, into: &effects)
    }

    // MARK: Proving itself again

    /// AUTH from a connected client (5.0 section 4.12.1). Everything else goes on meanwhile.
    mutating func authReceived(
        _ auth: Auth, from session: Session, on connection: ConnectionID, at now: Instant,
        into effects: inout Effects
    ) throws(ProtocolViolation) {
        guard let authentication = session.authentication else {
            throw .protocolError("MQTT-4.12.0-7", "AUTH without an enhanced authentication")
        }
        guard names(auth, authentication.method) else {
            throw .protocolError("MQTT-4.12.1-1", "another authentication method than that of the CONNECT")
        }
        var exchange: (any AuthenticationExchange)?
        switch (authentication.turn, auth.reasonCode) {
        case (nil, .reauthenticate):
            session.authentication?.dueAt = now.advanced(by: limits.authenticationTimeout)
            arm(.authenticationTimeout(connection), at: now.advanced(by: limits.authenticationTimeout))
        case (.client(let current), .continueAuthentication): exchange = current
        case (.authenticator, _), (.client, _), (nil, _):
            throw .protocolError("MQTT-4.12.0-3", "an AUTH that nothing waits for")
        }
        session.authentication?.turn = .authenticator
        let request = AuthenticationRequest(
            clientIdentifier: session.clientIdentifier, method: authentication.method,
            data: auth.properties.authenticationData ?? [], exchange: exchange,
            renewedUserName: authentication.userName)
        effects.all.append(.authenticate(connection, request))
    }

    private mutating func renewalAnswered(
        _ connection: ConnectionID, _ outcome: AuthenticationOutcome, at now: Instant, into effects: inout Effects
    ) {
        guard let slot = connections.session(of: connection), let session = sessions.slots[slot],
            let authentication = session.authentication, case .authenticator? = authentication.turn
        else { return }
        switch outcome {
        case .allowed(let grant) where grant.userName.map(ExactText.init) == authentication.userName.map(ExactText.init):
            session.access = sessionAccess(for: grant, clientIdentifier: session.clientIdentifier)
            applyAccess(to: session, includingInflight: false, into: &effects)
            granted(grant, to: session, method: authentication.method, at: now)
            abandonDeadline()
            send(auth: .success, method: authentication.method, data: grant.data, on: connection, into: &effects)
        case .allowed:
            counters.authenticationsDenied += 1
            disconnect(session, reasonCode: .notAuthorized, at: now, into: &effects)
        case .denied(let reasonCode):
            counters.authenticationsDenied += 1
            // Not every reason code of CONNACK is one of DISCONNECT.
            let isForDisconnect =
                ![.badUserNameOrPassword, .badAuthenticationMethod, .banned].contains(reasonCode)
            disconnect(session, reasonCode: isForDisconnect ? reasonCode : .notAuthorized, at: now, into: &effects)
        case .challenge(let data, let exchange):
            guard authFits(method: authentication.method, data: data, in: session.online?.maximumPacketSize) else {
                return disconnect(session, reasonCode: .packetTooLarge, at: now, into: &effects)
            }
            session.authentication?.turn = .client(exchange)
            send(
                auth: .continueAuthentication, method: authentication.method, data: data, on: connection,
                into: &effects)
        }
    }

    /// Every AUTH names the method of the CONNECT [MQTT-4.12.0-5].
    private func names(_ auth: Auth, _ method: String) -> Bool {
        auth.properties.authenticationMethod.map(ExactText.init) == ExactText(method)
    }

    private func send(
        auth reasonCode: ReasonCode, method: String, data: [UInt8], on connection: ConnectionID,
        into effects: inout Effects
    ) {
        var properties: Properties = [.authenticationMethod(method)]
        if !data.isEmpty { properties.append(.authenticationData(data)) }
        effects.all.append(.send(connection, .auth(Auth(reasonCode: reasonCode, properties: properties))))
    }
}
