import AccessControl
import Backbone
import MQTTModel

/// A CONNECT that waits until its session is this node's.
struct PendingClaim {
    let connect: Connect
    let clientIdentifier: String
    let grant: AccessGrant
    let connection: ConnectionID
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
        let token = makeToken()
        claims[token] = PendingClaim(
            connect: connect, clientIdentifier: clientIdentifier, grant: grant, connection: connection)
        effects.all.append(.pauseReading(connection))
        effects.all.append(.execute(token, .claim(clientIdentifier: clientIdentifier)))
    }

    /// Sessions have come, for a CONNECT that waits or because another node has died.
    mutating func sessionsTaken(
        _ token: BackboneToken?, _ taken: TakenSessions?, at now: Instant, into effects: inout Effects
    ) {
        let pending = token.flatMap { claims.removeValue(forKey: $0) }
        let isWaiting = pending.map { connections.phase(of: $0.connection) == .admitting } ?? false
        if isWaiting { admittedClient = pending?.clientIdentifier }
        if let taken { take(taken, at: now, into: &effects) }
        admittedClient = nil
        guard let pending else { return }
        guard isWaiting else {
            // Its client has gone meanwhile. A session that came stays for the next CONNECT.
            if taken != nil, !isShuttingDown, sessions.session(for: pending.clientIdentifier) == nil {
                noteDeparture(of: pending.clientIdentifier, into: &effects)
            }
            return
        }
        guard taken != nil else {
            refuseConnect(pending.connect, on: pending.connection, reasonCode: .serverUnavailable, into: &effects)
            return
        }
        admit(
            pending.connect, clientIdentifier: pending.clientIdentifier, pending.grant, isClaimed: true,
            on: pending.connection, at: now, into: &effects)
        if let slot = connections.session(of: pending.connection), sessions.slots[slot]?.online?.isGated == false {
            effects.all.append(.resumeReading(pending.connection))
        }
    }

    /// It has taken too long; the answer will find nobody.
    mutating func claimTimedOut(_ connection: ConnectionID, into effects: inout Effects) {
        // Order-free: a connection has one CONNECT.
        guard let pending = claims.values.first(where: { $0.connection == connection }) else { return }
        counters.claimTimeouts += 1
        refuseConnect(pending.connect, on: connection, reasonCode: .serverUnavailable, into: &effects)
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
