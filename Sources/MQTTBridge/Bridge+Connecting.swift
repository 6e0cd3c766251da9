import MQTTModel

// How a link is made: first to the remote broker, then to the local one, whose session for the bridge begins to send as
// soon as it is connected.
extension Bridge {
    mutating func open(_ side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]) {
        self[side].startConnection()
        phase = .opening(side, deadline: now.advanced(by: options.connectTimeout))
        actions.append(.open(side, attempt: failedAttempts))
    }

    mutating func opened(_ side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]) {
        guard case .opening(side, _) = phase else { return }
        phase = .greeting(side, deadline: now.advanced(by: options.connectTimeout))
        self[side].liveness = Liveness(lastSentAt: now, lastReceivedAt: now)
        let packet = side == .remote ? remoteConnect : localConnect
        if side == .remote { hasBridgeBit = triesBridgeBit }
        actions.append(.connect(packet, side, hasBridgeBit: side == .remote && hasBridgeBit))
    }

    private var keepAlive: UInt16 { UInt16(clamping: options.keepAlive.components.seconds) }

    private var remoteConnect: Connect {
        let version = options.version.protocolVersion
        var packet = Connect(
            version: version, clientIdentifier: options.clientIdentifier, cleanStart: false, keepAlive: keepAlive,
            userName: credentials.remoteUserName, password: credentials.remotePassword)
        guard version.hasProperties else { return packet }
        packet.properties.append(.sessionExpiryInterval(UInt32(clamping: options.sessionExpiry.components.seconds)))
        packet.properties.append(.receiveMaximum(options.maximumInflightMessages))
        packet.properties.append(.maximumPacketSize(options.maximumPacketSize))
        return packet
    }

    /// The local broker sends no more than the remote one takes; its session for the bridge does not expire.
    private var localConnect: Connect {
        let receiveMaximum = min(options.maximumInflightMessages, remote.limits.receiveMaximum)
        return Connect(
            version: .v5_0, clientIdentifier: options.localClientIdentifier, cleanStart: false, keepAlive: keepAlive,
            userName: credentials.localUserName, password: credentials.localPassword,
            properties: [.sessionExpiryInterval(.max), .receiveMaximum(receiveMaximum)])
    }

    mutating func greeted(
        _ packet: Packet, by side: BridgeSide, at now: Instant, into actions: inout [BridgeAction]
    ) -> Failure? {
        guard case .connAck(let connAck) = packet else {
            let violation = ProtocolViolation.protocolError(
                "MQTT-3.2.0-1", "the first packet of the server is not a CONNACK")
            return Failure(side: side, reason: .violation(violation))
        }
        if connAck.reasonCode.isError { return refused(connAck, by: side) }
        let version = side == .local ? .v5_0 : options.version.protocolVersion
        self[side].limits = PeerLimits(connAck, version: version, keepAlive: keepAlive)
        self[side].liveness.keepAlive = self[side].limits.keepAlive
        self[side].window.maximum = Int(self[side].limits.receiveMaximum)
        switch side {
        case .remote:
            if version == .v3_1_1, !hasBridgeBit, let filter = options.returningFilter {
                triesBridgeBit = options.usesBridgeBit
                return Failure(side: .remote, reason: .wouldLoop(filter: filter))
            }
            open(.local, at: now, into: &actions)
        case .local:
            beginRelaying(at: now, into: &actions)
        }
        return nil
    }

    private mutating func refused(_ connAck: ConnAck, by side: BridgeSide) -> Failure {
        if side == .remote, hasBridgeBit, connAck.reasonCode == .unsupportedProtocolVersion { triesBridgeBit = false }
        return Failure(side: side, reason: .refused(connAck.reasonCode, text: connAck.properties.reasonString))
    }

    /// A broker that does not know the bridge bit may also just close the connection: the next CONNECT is without it, and
    /// the one after that with it, since there are other reasons for a close.
    mutating func closed(_ side: BridgeSide) {
        guard case .greeting(.remote, _) = phase, side == .remote else { return }
        triesBridgeBit = options.version == .v3_1_1 && options.usesBridgeBit && !triesBridgeBit
    }

    // MARK: Going down, and up again

    /// Ends the link because of `side`: both connections are closed, and made anew after a delay.
    mutating func fail(
        _ side: BridgeSide, _ reason: BridgeEnd, at now: Instant, using random: inout some RandomNumberGenerator,
        into actions: inout [BridgeAction]
    ) {
        switch phase {
        case .idle, .waiting, .stopped: return
        case .opening, .greeting: break
        case .relaying(let since):
            // One that comes and goes, for example with a second client of the same identifier, does not begin anew.
            if now >= since.advanced(by: options.longestDelay) { failedAttempts = 0 }
            tell(side, reason, at: now, into: &actions)
        }
        for side in BridgeSide.allCases { actions.append(.close(side)) }
        failedAttempts += 1
        counters.disconnections += 1
        let delay = delay(for: reason, using: &random)
        phase = .waiting(until: now.advanced(by: delay))
        actions.append(.report(.disconnected(side, reason, delay: delay)))
    }

    /// A last word to the brokers: to the one at fault what it did, to the other that this was all.
    private mutating func tell(
        _ side: BridgeSide, _ reason: BridgeEnd, at now: Instant, into actions: inout [BridgeAction]
    ) {
        send(.disconnect(Disconnect()), to: side.other, at: now, into: &actions)
        switch reason {
        case .violation(let violation) where self[side].limits.version.hasProperties:
            send(.disconnect(Disconnect(reasonCode: violation.reasonCode)), to: side, at: now, into: &actions)
        case .full, .tooMuchPending:
            send(.disconnect(Disconnect()), to: side, at: now, into: &actions)
        default: break
        }
    }

    private func delay(for reason: BridgeEnd, using random: inout some RandomNumberGenerator) -> Duration {
        // Nobody but an operator can mend it.
        if case .wouldLoop = reason { return options.longestDelay }
        var delay = options.shortestDelay
        for _ in 1..<max(failedAttempts, 1) where delay < options.longestDelay {
            delay = min(delay * 2, options.longestDelay)
        }
        // Boxes that lost the same broker do not all come back in the same instant.
        return delay * Double.random(in: 0.5...1, using: &random)
    }

    mutating func stop(at now: Instant, into actions: inout [BridgeAction]) {
        if case .relaying = phase {
            for side in BridgeSide.allCases { send(.disconnect(Disconnect()), to: side, at: now, into: &actions) }
        }
        for side in BridgeSide.allCases { actions.append(.close(side)) }
        phase = .stopped
        actions.append(.report(.stopped))
    }
}
