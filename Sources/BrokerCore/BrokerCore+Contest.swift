import AccessControl
import MQTTModel

/// A CONNECT that waits because the session has been taken over too often in a short time.
struct DelayedConnect {
    let connect: Connect
    let clientIdentifier: String
    let grant: AccessGrant
}

/// Clients that fight over one client identifier are slowed down, on one node and between nodes: each node counts how often
/// it has lost the session, so nothing has to be said about it in the log.
extension BrokerCore {
    /// Lets a CONNECT wait that would take over a session that is fought over; until then nothing is read from the client.
    ///
    /// - Returns: whether it waits, or was refused because too many do.
    mutating func delayContested(
        _ connect: Connect, clientIdentifier: String, _ grant: AccessGrant, on connection: ConnectionID,
        at now: Instant, into effects: inout Effects
    ) -> Bool {
        let session = sessions.session(for: clientIdentifier)
        // In a flock a session that is not here may be another node's, with a client on it.
        guard session.map({ $0.online != nil }) ?? options.isInFlock else { return false }
        let delay = contests.delay(of: clientIdentifier, at: now, limits)
        guard delay > .zero else { return false }
        guard delayedConnects.count < limits.maximumPendingAuthentications else {
            counters.authenticationsRefused += 1
            refuseConnect(connect, on: connection, reasonCode: .serverBusy, into: &effects)
            return true
        }
        if connections.phase(of: connection) == .awaitingConnect {
            connections.setAdmitting(connection)
            effects.all.append(.pauseReading(connection))
        }
        delayedConnects[connection] = DelayedConnect(
            connect: connect, clientIdentifier: clientIdentifier, grant: grant)
        abandonDeadline()
        arm(.contest(connection), at: now.advanced(by: delay))
        counters.connectsDelayed += 1
        report(.connectDelayed(clientIdentifier: clientIdentifier, delay), into: &effects)
        return true
    }

    /// It has waited long enough.
    mutating func contestDelayOver(_ connection: ConnectionID, at now: Instant, into effects: inout Effects) {
        guard let delayed = delayedConnects.removeValue(forKey: connection) else { return }
        guard !isIsolated else {
            return refuseConnect(delayed.connect, on: connection, reasonCode: .serverUnavailable, into: &effects)
        }
        if options.isInFlock {
            // For the claim that follows.
            arm(.authenticationTimeout(connection), at: now.advanced(by: limits.authenticationTimeout))
        }
        admit(
            delayed.connect, clientIdentifier: delayed.clientIdentifier, delayed.grant, hasWaited: true, on: connection,
            at: now, into: &effects)
        guard let slot = connections.session(of: connection), sessions.slots[slot]?.online?.isGated == false else {
            return
        }
        effects.all.append(.resumeReading(connection))
    }
}
