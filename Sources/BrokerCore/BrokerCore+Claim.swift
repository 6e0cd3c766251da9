import AccessControl
import Backbone
import MQTTModel

/// CONNECTs of one client that wait until its session is this node's. There is one claim at a time: what a second one
/// brought could be older than what has become of the session meanwhile.
struct PendingClaim {
    struct Waiting {
        let connect: Connect
        let grant: AccessGrant
        let connection: ConnectionID
    }

    /// In the order in which they came: each takes over from the one before [MQTT-3.1.4-3].
    var waiting: [Waiting]
}

/// Sessions come to this node and go from it: in a flock every client identifier has one node at a time, which the
/// backbone decides. A session that is here is this node's; one that is not has to be claimed first.
extension BrokerCore {
    /// Asks for the session; until the answer nothing is read from the client.
    mutating func claim(
        _ connect: Connect, clientIdentifier: String, _ grant: AccessGrant, on connection: ConnectionID,
        at now: Instant, into effects: inout Effects
    ) {
        if connections.phase(of: connection) == .awaitingConnect {
            connections.setAdmitting(connection)
            abandonDeadline()
            arm(.authenticationTimeout(connection), at: now.advanced(by: limits.authenticationTimeout))
        }
        effects.all.append(.pauseReading(connection))
        let client = ExactText(clientIdentifier)
        let waiting = PendingClaim.Waiting(connect: connect, grant: grant, connection: connection)
        guard claims[client] == nil else {
            claims[client]?.waiting.append(waiting)
            return
        }
        let token = makeToken()
        claims[client] = PendingClaim(waiting: [waiting])
        claimedClients[token] = client
        effects.all.append(.execute(token, .claim(clientIdentifier: clientIdentifier)))
    }

    /// Sessions have come, for a CONNECT that waits or because another node has died.
    mutating func sessionsTaken(
        _ token: BackboneToken?, _ taken: TakenSessions?, at now: Instant, into effects: inout Effects
    ) {
        guard let client = token.flatMap({ claimedClients.removeValue(forKey: $0) }) else {
            if let taken { take(taken, at: now, into: &effects) }
            return
        }
        let claim = claims.removeValue(forKey: client)
        let waiting = claim?.waiting.filter { connections.phase(of: $0.connection) == .admitting } ?? []
        if !waiting.isEmpty { admittedClient = client.string }
        if let taken { take(taken, at: now, into: &effects) }
        admittedClient = nil
        var isClaimed = true
        for one in waiting {
            guard taken != nil else {
                refuseConnect(one.connect, on: one.connection, reasonCode: .serverUnavailable, into: &effects)
                continue
            }
            admit(
                one.connect, clientIdentifier: client.string, one.grant, isClaimed: isClaimed, on: one.connection,
                at: now,
                into: &effects)
            // One that was refused has given the session up.
            isClaimed = sessions.session(for: client.string) != nil
            if let slot = connections.session(of: one.connection), sessions.slots[slot]?.online?.isGated == false {
                effects.all.append(.resumeReading(one.connection))
            }
        }
        // Its client has gone meanwhile. A session that came stays for the next CONNECT.
        if waiting.isEmpty, taken != nil, !isShuttingDown, sessions.session(for: client.string) == nil {
            noteDeparture(of: client.string, into: &effects)
        }
    }

    /// It has taken too long; the answer will not find this CONNECT.
    mutating func claimTimedOut(_ connection: ConnectionID, into effects: inout Effects) {
        // Order-free: a connection has one CONNECT.
        for claim in claims.values {
            guard let waiting = claim.waiting.first(where: { $0.connection == connection }) else { continue }
            counters.claimTimeouts += 1
            refuseConnect(waiting.connect, on: connection, reasonCode: .serverUnavailable, into: &effects)
            return
        }
    }

    /// Another node has the session now. Its will and everything that waits went with it.
    mutating func sessionLost(_ clientIdentifier: String, at now: Instant, into effects: inout Effects) {
        guard let session = sessions.session(for: clientIdentifier) else { return }
        // What is done here with its claims, its will and its notes is done by the other node, or not at all.
        session.claims = [:]
        session.will = nil
        session.isNoted = false
        session.isNoteUncertain = false
        session.isLost = true
        if session.online != nil {
            counters.takeovers += 1
            contests.sessionTakenOver(clientIdentifier, at: now, limits)
            report(.sessionTakenOver(clientIdentifier: clientIdentifier), into: &effects)
            disconnect(session, reasonCode: .sessionTakenOver, keepsWill: false, at: now, into: &effects)
        }
        guard sessions.session(slot: session.slot, generation: session.generation) != nil else { return }
        endSession(session, at: now, into: &effects)
    }

    /// The client has no session any more: the next CONNECT, on whatever node, begins one.
    mutating func noteDeparture(of clientIdentifier: String, into effects: inout Effects) {
        noteEnd(of: clientIdentifier, .departed(clientIdentifier: clientIdentifier), into: &effects)
    }
}
