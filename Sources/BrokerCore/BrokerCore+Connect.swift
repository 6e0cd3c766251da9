import AccessControl
import Backbone
import MQTTModel
import MQTTSession

extension BrokerCore {
    /// CONNECT on a connection that waited for it (section 3.1.4).
    mutating func connectReceived(
        _ connect: Connect, on connection: ConnectionID, at now: Instant,
        using random: inout some RandomNumberGenerator, into effects: inout Effects
    ) {
        if let reasonCode = reasonToRefuse(connect, at: now) {
            refuseConnect(connect, on: connection, reasonCode: reasonCode, into: &effects)
            return
        }
        var clientIdentifier = connect.clientIdentifier
        if clientIdentifier.isEmpty { clientIdentifier = assignClientIdentifier(using: &random) }
        precondition(
            HomeShard.index(of: clientIdentifier, shardCount: shardCount) == shard,
            "the driver brings a CONNECT to the home shard of its client identifier")
        if policy?.checksClients == true {
            beginAuthentication(connect, clientIdentifier: clientIdentifier, on: connection, at: now, into: &effects)
        } else {
            admit(
                connect, clientIdentifier: clientIdentifier, AccessGrant(userName: nil), on: connection, at: now,
                into: &effects)
        }
    }

    /// Accepts a CONNECT whose client may come in, unless a limit is reached.
    ///
    /// - Parameters:
    ///   - isClaimed: no other node of the flock has the session.
    ///   - hasWaited: the session is fought over, and the CONNECT has waited for that.
    mutating func admit(
        _ connect: Connect, clientIdentifier: String, _ grant: AccessGrant, isClaimed: Bool = false,
        hasWaited: Bool = false, on connection: ConnectionID, at now: Instant, into effects: inout Effects
    ) {
        if !isClaimed, !hasWaited,
            delayContested(
                connect, clientIdentifier: clientIdentifier, grant, on: connection, at: now, into: &effects)
        {
            return
        }
        guard isClaimed || !options.isInFlock || sessions.session(for: clientIdentifier) != nil else {
            claim(connect, clientIdentifier: clientIdentifier, grant, on: connection, at: now, into: &effects)
            return
        }
        admittedClient = clientIdentifier
        admitClaimed(
            connect, clientIdentifier: clientIdentifier, grant, on: connection, at: now, into: &effects)
        admittedClient = nil
        if options.isInFlock, sessions.session(for: clientIdentifier) == nil {
            noteDeparture(of: clientIdentifier, into: &effects)
        }
    }

    private mutating func admitClaimed(
        _ connect: Connect, clientIdentifier: String, _ grant: AccessGrant, on connection: ConnectionID,
        at now: Instant, into effects: inout Effects
    ) {
        let access = sessionAccess(for: grant, clientIdentifier: clientIdentifier)
        if let access, let will = connect.will, !access.permitWriting(will.message.topic) {
            counters.publishesDenied += 1
            refuseConnect(connect, on: connection, reasonCode: .notAuthorized, into: &effects)
            return
        }
        let connAckProperties =
            connect.version == .v5_0
            ? connAckProperties(for: connect, clientIdentifier: clientIdentifier, grant) : []
        guard connAckFits(connAckProperties, in: connect.properties.maximumPacketSize) else {
            refuseConnect(connect, on: connection, reasonCode: .packetTooLarge, into: &effects)
            return
        }
        if flapping.connected(clientIdentifier, at: now, limits) {
            counters.clientsBanned += 1
            refuseConnect(
                connect, on: connection, reasonCode: .banned, event: .clientBanned(clientIdentifier: clientIdentifier),
                into: &effects)
            return
        }
        let replacesNoted = connect.cleanStart && sessions.session(for: clientIdentifier)?.isNoted == true
        let earlier = endEarlierConnection(
            of: clientIdentifier, isCleanStart: connect.cleanStart, at: now, into: &effects)
        guard earlier != nil || sessions.count < limits.maximumSessions else {
            counters.sessionsRefused += 1
            refuseConnect(connect, on: connection, reasonCode: .quotaExceeded, into: &effects)
            return
        }
        let session = earlier ?? sessions.insert(clientIdentifier: clientIdentifier)
        connections.setOnline(connection, session: session.slot)
        abandonDeadline()
        session.access = access
        if earlier != nil { applyAccess(to: session, includingInflight: true, into: &effects) }
        bringOnline(session, connect, on: connection, at: now, into: &effects)
        session.inflight.beginResend()
        granted(grant, to: session, method: connect.properties.authenticationMethod, at: now)
        report(
            .clientConnected(
                connection, clientIdentifier: clientIdentifier, version: connect.version,
                isSessionPresent: earlier != nil), into: &effects)
        // 3.1 has no Session Present: the bit is reserved there.
        let connAck = ConnAck(
            isSessionPresent: earlier != nil && connect.version != .v3_1, reasonCode: .success,
            properties: connAckProperties)
        accept(session, connAck, replacesNoted: replacesNoted, at: now, into: &effects)
    }

    /// Answers an accepted CONNECT; when the backbone has to note the session, or to forget an earlier one, only after it
    /// has, and until then nothing is sent to the client or read from it.
    private mutating func accept(
        _ session: Session, _ connAck: ConnAck, replacesNoted: Bool, at now: Instant, into effects: inout Effects
    ) {
        guard let connection = session.online?.connection else { return }
        let identifier = session.clientIdentifier
        // What it has been given by shared subscriptions of a flock would end with its record.
        let isMember = options.isInFlock && !session.groups.isEmpty
        let mustBeNoted = session.isDurable || session.will != nil || isMember
        var changes: [SessionChange] = []
        let isBeginning = !session.isNoted || session.isNoteUncertain || !mustBeNoted
        if mustBeNoted {
            if isBeginning { changes.append(.began(clientIdentifier: identifier)) }
            changes.append(
                .connected(
                    clientIdentifier: identifier, expiryInterval: session.expiryInterval, will: session.will))
        } else if session.isNoted || replacesNoted || session.isNoteUncertain {
            changes.append(.ended(clientIdentifier: identifier))
        }
        session.isNoted = mustBeNoted
        guard !changes.isEmpty else {
            effects.all.append(.send(connection, .connAck(connAck)))
            groupsChanged(of: session, into: &effects)
            pump(session, at: now, into: &effects)
            return
        }
        session.online?.isGated = true
        sessions.updatePath(of: session)
        effects.all.append(.pauseReading(connection))
        note(changes, of: session, then: .connAck(connAck, isBeginning: isBeginning), into: &effects)
    }

    /// Why the CONNECT cannot be accepted; nil if it can.
    private mutating func reasonToRefuse(_ connect: Connect, at now: Instant) -> ReasonCode? {
        if connect.properties.authenticationMethod != nil, policy?.checksClients != true {
            return .badAuthenticationMethod
        }
        if connect.clientIdentifier.isEmpty {
            // 3.1 knows no empty identifier; 3.1.1 only for a session that ends with its connection [MQTT-3.1.3-8].
            if connect.version == .v3_1 || (connect.version == .v3_1_1 && !connect.cleanStart) {
                return .clientIdentifierNotValid
            }
        }
        if connect.clientIdentifier.utf8.count > limits.maximumClientIdentifierLength {
            return .clientIdentifierNotValid
        }
        if flapping.isBanned(connect.clientIdentifier, at: now) { return .banned }
        // Who comes back to a session may fetch what waits in it.
        if memoryLevel == .critical, sessions.session(for: connect.clientIdentifier) == nil {
            counters.refusedForMemory += 1
            return .serverBusy
        }
        if isIsolated { return .serverUnavailable }
        return isShuttingDown ? .serverShuttingDown : nil
    }

    mutating func refuseConnect(
        _ connect: Connect, on connection: ConnectionID, reasonCode: ReasonCode, _ properties: Properties = [],
        event: BrokerEvent? = nil, into effects: inout Effects
    ) {
        counters.connectionsRefused += 1
        effects.all.append(.send(connection, .connAck(ConnAck(reasonCode: reasonCode, properties: properties))))
        close(connection, into: &effects)
        report(
            event ?? .connectionRefused(connection, clientIdentifier: connect.clientIdentifier, reasonCode),
            into: &effects)
    }

    /// A client identifier that nobody has, at home on this shard, so that its owner finds the session again
    /// [MQTT-3.1.3-6, MQTT-3.1.3-7].
    private func assignClientIdentifier(using random: inout some RandomNumberGenerator) -> String {
        while true {
            let number = String(UInt64.random(in: .min ... .max, using: &random), radix: 36)
            let candidate = "dunlin-\(number)"
            if HomeShard.index(of: candidate, shardCount: shardCount) == shard, sessions.session(for: candidate) == nil
            {
                return candidate
            }
        }
    }

    /// Takes the session over from its connection, if it has one, and ends it if it is not to be resumed.
    /// - Returns: the session, if it goes on [MQTT-3.1.2-5].
    private mutating func endEarlierConnection(
        of clientIdentifier: String, isCleanStart: Bool, at now: Instant, into effects: inout Effects
    ) -> Session? {
        guard let session = sessions.session(for: clientIdentifier) else { return nil }
        let generation = session.generation
        if session.online != nil {
            counters.takeovers += 1
            contests.sessionTakenOver(clientIdentifier, at: now, limits)
            report(.sessionTakenOver(clientIdentifier: clientIdentifier), into: &effects)
            disconnect(session, reasonCode: .sessionTakenOver, at: now, into: &effects)
        }
        // A session without an expiry interval has ended with the connection that was just closed.
        guard sessions.session(slot: session.slot, generation: generation) != nil else { return nil }
        if isCleanStart {
            endSession(session, at: now, into: &effects)
            return nil
        }
        return session
    }

    private mutating func bringOnline(
        _ session: Session, _ connect: Connect, on connection: ConnectionID, at now: Instant,
        into effects: inout Effects
    ) {
        let properties = connect.properties
        let isV5 = connect.version == .v5_0
        let keepAlive = isV5 ? serverKeepAlive(for: connect.keepAlive) : connect.keepAlive
        let keepAliveTimeout: Duration? = keepAlive == 0 ? nil : .milliseconds(Int64(keepAlive) * 1500)
        session.online = OnlineState(
            connection: connection, version: connect.version, keepAliveTimeout: keepAliveTimeout,
            window: Int(min(properties.receiveMaximum ?? .max, limits.maximumInflightMessages)),
            maximumPacketSize: properties.maximumPacketSize.map(Int.init),
            wantsProblemInformation: properties.requestProblemInformation != 0,
            aliasMaximum: min(properties.topicAliasMaximum ?? 0, limits.maximumOutboundTopicAliases),
            lastReceived: now)
        session.resumeReceived()
        session.receivedAliases = ReceivedTopicAliases(maximum: isV5 ? limits.topicAliasMaximum : 0)
        session.sentAliases = SentTopicAliases(maximum: session.online?.aliasMaximum ?? 0)
        let expiryInterval =
            isV5
            ? min(properties.sessionExpiryInterval ?? 0, limits.maximumSessionExpiryInterval)
            : connect.cleanStart ? 0 : limits.maximumSessionExpiryInterval
        setExpiryInterval(expiryInterval, of: session, into: &effects)
        session.expiresAt = .distantFuture
        // Reconnecting to the session in time cancels a will whose delay runs [MQTT-3.1.3-9].
        if session.willDueAt != nil { abandonDeadline() }
        session.willDueAt = nil
        session.will = connect.will
        session.userName = connect.userName
        session.connectedAt = now
        sessions.updatePath(of: session)
        if let keepAliveTimeout {
            arm(.keepAlive(connection), at: now.advanced(by: keepAliveTimeout))
        }
    }

    /// The keep alive that counts: the client's, or the server's if the client's is longer or off [MQTT-3.2.2-21].
    private func serverKeepAlive(for requested: UInt16) -> UInt16 {
        guard let maximum = limits.maximumKeepAlive else { return requested }
        return requested == 0 ? maximum : min(requested, maximum)
    }

    private func connAckProperties(
        for connect: Connect, clientIdentifier: String, _ grant: AccessGrant
    ) -> Properties {
        var properties: [Property] = []
        properties.reserveCapacity(8)
        if let asked = connect.properties.sessionExpiryInterval, asked > limits.maximumSessionExpiryInterval {
            properties.append(.sessionExpiryInterval(limits.maximumSessionExpiryInterval))
        }
        if limits.receiveMaximum != .max { properties.append(.receiveMaximum(limits.receiveMaximum)) }
        properties.append(.maximumPacketSize(limits.maximumPacketSize))
        if connect.clientIdentifier.isEmpty { properties.append(.assignedClientIdentifier(clientIdentifier)) }
        if limits.topicAliasMaximum > 0 { properties.append(.topicAliasMaximum(limits.topicAliasMaximum)) }
        if let method = connect.properties.authenticationMethod {
            properties.append(.authenticationMethod(method))
            if !grant.data.isEmpty { properties.append(.authenticationData(grant.data)) }
        }
        let keepAlive = serverKeepAlive(for: connect.keepAlive)
        if keepAlive != connect.keepAlive { properties.append(.serverKeepAlive(keepAlive)) }
        if connect.properties.requestResponseInformation == 1, let template = options.responseInformation {
            properties.append(.responseInformation(expand(template, clientIdentifier: clientIdentifier)))
        }
        return Properties(properties)
    }

    private func expand(_ template: String, clientIdentifier: String) -> String {
        var result = ""
        var rest = template[...]
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            rest = rest[percent...]
            if rest.hasPrefix("%c") {
                result += clientIdentifier
                rest = rest.dropFirst(2)
            } else {
                result += "%"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }
}
