import MQTTModel

extension BrokerCore {
    /// A CONNECT that the operator does not want, whatever it says. A 5.0 client is told the server to go to
    /// (section 4.13), if the packet has room for it [MQTT-3.1.2-24].
    mutating func connectForbidden(
        _ packet: Packet, on connection: ConnectionID, _ reasonCode: ReasonCode, _ serverReference: String?,
        into effects: inout Effects
    ) {
        guard case .connect(let connect) = packet, connections.phase(of: connection) == .awaitingConnect else { return }
        var properties: Properties = []
        if connect.version == .v5_0, let serverReference {
            let wanted = Properties([.serverReference(serverReference)])
            if connAckFits(wanted, in: connect.properties.maximumPacketSize) { properties = wanted }
        }
        refuseConnect(connect, on: connection, reasonCode: reasonCode, properties, into: &effects)
    }

    /// The operator wants the client gone. Its session goes on as with any other end of a connection, and its will stands
    /// [MQTT-3.1.2-8].
    mutating func disconnectRequested(
        _ connection: ConnectionID, _ reasonCode: ReasonCode, _ serverReference: String?, at now: Instant,
        into effects: inout Effects
    ) {
        guard let slot = connections.session(of: connection), let session = sessions.slots[slot] else {
            if connections.phase(of: connection) != .closed { close(connection, into: &effects) }
            return
        }
        disconnect(session, reasonCode: reasonCode, serverReference: serverReference, at: now, into: &effects)
    }
}
