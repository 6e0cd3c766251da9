import MQTTModel

extension BrokerCore {
    /// A node that its flock does not hear can acknowledge nothing, and its clients' sessions may be another's meanwhile:
    /// they are better off with another node. What they were not told of before is told when the flock is there again, or
    /// counts for nothing when another node has their session then. Their wills stand [MQTT-3.1.2-8].
    mutating func isolationChanged(to isIsolated: Bool, at now: Instant, into effects: inout Effects) {
        guard isIsolated != self.isIsolated else { return }
        self.isIsolated = isIsolated
        guard isIsolated else { return }
        var claiming: [ConnectionID: Connect] = [:]
        // Order-free: a connection has one CONNECT.
        for claim in claims.values { for one in claim.waiting { claiming[one.connection] = one.connect } }
        for slot in connections.slots {
            guard let connection = connections.openConnection(inSlot: slot) else { continue }
            if let index = connections.session(of: connection), let session = sessions.slots[index] {
                disconnect(session, reasonCode: .serverShuttingDown, at: now, into: &effects)
            } else if let connect = claiming[connection] {
                refuseConnect(connect, on: connection, reasonCode: .serverUnavailable, into: &effects)
            }
        }
    }
}
