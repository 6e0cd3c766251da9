import BrokerCore
import MQTTModel

// What the broker is told and what it does, for the checkers that need more than clients see.
extension Simulation {
    func observe(_ observation: CoreDriver.Observation, on node: Int) {
        let driver = nodes[node]
        func number(_ connection: DriverConnection) -> Int { Simulation.number(of: connection, on: node) }
        switch observation {
        case .input(let shard, .packetReceived(let identifier, let packet)):
            guard let connection = driver.connection(of: identifier, on: shard) else { return }
            log?.note(shard: shard, connection: number(connection), received: packet, at: now)
            if case .connect(let connect) = packet, pendingConnects[number(connection)] == nil {
                pendingConnects[number(connection)] = connect
            }
            if case .disconnect(let disconnect) = packet {
                observe(.disconnectArrived(connection: number(connection), disconnect))
            }
        case .effect(let shard, .send(let identifier, .connAck(let connAck))):
            guard let connection = driver.connection(of: identifier, on: shard), !connAck.reasonCode.isError else {
                return
            }
            observe(.connAckSent(connection: number(connection), isSessionPresent: connAck.isSessionPresent))
        case .effect(let shard, .report(.clientConnected(let identifier, _, _, let isSessionPresent))):
            guard let connection = driver.connection(of: identifier, on: shard) else { return }
            accepted(number(connection), on: node, isSessionPresent: isSessionPresent)
        case .effect(let shard, .close(let identifier)):
            guard let connection = driver.connection(of: identifier, on: shard) else { return }
            log?.note("shard \(shard) closes connection \(number(connection))", at: now)
            observe(.ended(connection: number(connection)))
        case .effect(_, .report(let event)):
            if case .queueOverflowed(let identifier) = event { markOverflow(of: identifier) }
            observe(.reported(event))
        default: break
        }
    }

    /// The broker has decided on a CONNECT; its CONNACK follows once the backbone has noted the session.
    private func accepted(_ connection: Int, on node: Int, isSessionPresent: Bool) {
        guard let connect = pendingConnects[connection], isLatest(connect.clientIdentifier, on: node) else { return }
        if let client = clients.firstIndex(where: { $0.profile.identifier == connect.clientIdentifier }) {
            if !isSessionPresent { history.beginSession(of: client, at: now) }
            if let flock, lastNodes.updateValue(node, forKey: client) ?? node != node {
                history.moved(client, at: flock.now)
            }
            acceptedSessions[connection] = history.sessionOrdinal(of: client)
        }
        let willNumber = connect.will.flatMap { history.number(ofPayload: $0.message.payload) }
        observe(
            .accepted(
                connection: connection, connect, isSessionPresent: isSessionPresent, willNumber: willNumber))
    }

    private func markOverflow(of identifier: String) {
        guard let client = clients.firstIndex(where: { $0.profile.identifier == identifier }) else { return }
        history.update(session: history.sessionOrdinal(of: client), of: client) { $0.hasOverflowed = true }
    }

    enum TraceKind: UInt64 { case upstream = 1, downstream, ended, closed }

    /// Adds to the digest of the run.
    func trace(_ kind: TraceKind, _ link: Int, _ bytes: [UInt8]) {
        hash.combine(now.nanoseconds)
        hash.combine(kind.rawValue)
        hash.combine(UInt64(link))
        hash.combine(bytes)
        log?.note(kind, link: link, count: bytes.count, at: now)
    }
}
