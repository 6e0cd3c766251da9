import MQTTModel

/// A stream of bytes in each direction between a client and the broker.
final class VirtualLink {
    enum Owner { case honest(Int), hostile(Int) }

    enum ClientEnd {
        case open
        /// The client has nothing more to send and has said so: its end is closed when `upstream` has arrived.
        case finishing
        /// The client is gone; the broker may not know it yet.
        case gone
    }

    /// Of the flock; 0 for one on its own.
    let node: Int
    let connection: DriverConnection
    let owner: Owner
    var latency: Duration
    /// Sent by the client, not arrived yet.
    var upstream: [UInt8] = []
    var isUpstreamScheduled = false
    var isDownstreamScheduled = false
    var clientEnd = ClientEnd.open
    /// The client does not read.
    var isStalled = false
    /// The connection's number among those of all nodes.
    var number: Int { Simulation.number(of: connection, on: node) }
    /// Nothing more will happen on it.
    var isOver = false

    init(node: Int, connection: DriverConnection, owner: Owner, latency: Duration) {
        self.node = node
        self.connection = connection
        self.owner = owner
        self.latency = latency
    }
}
