package import BrokerCore
import MQTTCodec
package import MQTTModel
import struct NIOCore.ByteBuffer

/// Packets in place of bytes, for tests; they pass through the real codec all the same.
extension CoreDriver {
    /// The client sends a packet.
    package func send(_ packet: Packet, version: ProtocolVersion, on connection: DriverConnection) {
        var buffer = ByteBuffer()
        PacketEncoder.append(packet, version: version, to: &buffer)
        receive(buffer.readableBytesView, on: connection)
    }

    /// The packets that the client has received since the last call, by a decoder in the client's role.
    ///
    /// Not to be mixed with `takeOutput` on one connection.
    package func receivePackets(of connection: DriverConnection) -> [Packet] {
        let output = takeOutput(of: connection)
        // The broker says nothing before it knows in which version.
        guard !output.isEmpty, let version = connections[connection.index].decoder.version else { return [] }
        let receiver = connections[connection.index].receiver ?? PacketReceiver(role: .client, version: version)
        connections[connection.index].receiver = receiver
        receiver.append(output)
        var packets: [Packet] = []
        do {
            while let decoded = try receiver.next() { packets.append(decoded.packet) }
        } catch {
            faults.append("the broker sent what no client understands: \(error)")
        }
        return packets
    }

    /// Opens a connection and sends its CONNECT.
    package func connect(_ connect: Connect, on shard: Int = 0) -> DriverConnection {
        let connection = open(on: shard)
        send(.connect(connect), version: connect.version, on: connection)
        return connection
    }

    /// What the shards have counted, added up by `value`.
    package func total(_ value: KeyPath<Counters, UInt64>) -> UInt64 {
        shards.reduce(0) { $0 + $1.core.counters[keyPath: value] }
    }

    /// What one shard has counted.
    package func counters(of shard: Int) -> Counters { shards[shard].core.counters }

    /// Stops the process when the state of a shard contradicts itself.
    package func checkInvariants() {
        for shard in shards { shard.core.checkInvariants() }
    }

    /// How much is in the tables of all shards; nothing when all sessions have ended and nothing is retained.
    package var tableCounts: [(name: String, count: Int)] {
        func sum(_ count: (Shard) -> Int) -> Int { shards.reduce(0) { $0 + count($1) } }
        return [
            ("sessions", sum { $0.core.sessionCount }), ("connections", sum { $0.core.connectionCount }),
            ("subscriptions", sum { $0.core.subscriptionCount }),
            ("retained messages", options.statusInterval == .zero ? sum { $0.core.retainedCount } : 0),
            ("pending authentications", sum { $0.core.pendingAuthenticationCount }),
            ("pending publishes", sum { $0.core.pendingPublishCount }), ("fetches", sum { $0.core.pendingFetchCount }),
            ("slots", sum { $0.slots.count { $0 != nil } }),
        ]
    }
}
