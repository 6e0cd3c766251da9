import BrokerCore
import MQTTModel
import NIOCore

/// A place in a shard's table of connections, with what a fan-out touches: so that a delivery reads one array and
/// counts no references.
struct ConnectionSlot {
    var connection: Connection?
    /// What is written at the end of the tick; nil most of the time.
    var outbound: ByteBuffer?
    var generation: UInt32 = 0
    /// The version that its packets are written in; 5.0 until the connection has told its own.
    var version: ProtocolVersion = .v5_0
    var isDirty = false
    /// What was written before has not left yet: gather, do not write.
    var isBlocked = false
    /// The core was told that it is not writable.
    var isOverWatermark = false
    /// The core has accepted its CONNECT.
    var isClient = false
}

/// A connection that the core has closed, and what it is sent before.
struct Farewell {
    let connection: Connection
    let bytes: ByteBuffer?
}

extension Shard {
    /// The index in `slots` of a connection that is still there.
    @inline(__always)
    func slot(of id: ConnectionID) -> Int? {
        let index = Int(id.slot)
        guard index < slots.count, slots[index].generation == id.generation, slots[index].connection != nil else {
            return nil
        }
        return index
    }

    /// Gives the connection a place.
    func attach(_ connection: Connection) -> ConnectionID {
        let index: Int
        if let free = freeSlots.popLast() {
            index = Int(free)
        } else {
            index = slots.count
            slots.append(ConnectionSlot())
        }
        slots[index].connection = connection
        let id = ConnectionID(slot: UInt32(index), generation: slots[index].generation)
        connection.id = id
        connectionCount += 1
        return id
    }

    /// Frees the connection's place.
    ///
    /// - Returns: what it was still to be sent.
    @discardableResult
    func detach(_ connection: Connection, from index: Int) -> ByteBuffer? {
        let outbound = slots[index].outbound
        if slots[index].isClient { clients[slots[index].version] -= 1 }
        slots[index] = ConnectionSlot(generation: slots[index].generation &+ 1)
        freeSlots.append(UInt32(index))
        if !receiveRates.isEmpty { receiveRates[UInt32(index)] = nil }
        if !credentials.isEmpty { credentials[UInt32(index)] = nil }
        connection.id = nil
        connection.undecoded = nil
        connectionCount -= 1
        return outbound
    }
}
