import MQTTModel

/// The shard's sessions, by client identifier and by slot.
struct SessionTable {
    /// How a QoS 0 message gets to a session: plain data beside the sessions, so that a fan-out touches nothing else.
    struct DeliveryPath {
        enum Mode: UInt8 {
            /// No connection, or one that does not read: a QoS 0 message is dropped.
            case none
            /// Straight to the connection.
            case plain
            /// The session has to be looked at: aliases, a maximum packet size, retained messages that wait, or rules about
            /// what it may receive.
            case careful
        }

        var connection = ConnectionID(slot: 0, generation: 0)
        var mode: Mode = .none
        var isDurable = false
    }

    private(set) var slots: [Session?] = []
    private(set) var paths: [DeliveryPath] = []
    private var generations: [UInt32] = []
    private var freeSlots: [UInt32] = []
    private var byIdentifier: [ExactText: UInt32] = [:]
    /// Sessions that outlive their connection: while there are none, no message needs the backbone for their sake.
    private(set) var durableCount = 0

    var count: Int { byIdentifier.count }

    func session(for clientIdentifier: String) -> Session? {
        guard let slot = byIdentifier[ExactText(clientIdentifier)] else { return nil }
        return slots[Int(slot)]
    }

    /// The session in `slot` if it is still the one with `generation`.
    func session(slot: UInt32, generation: UInt32) -> Session? {
        guard Int(slot) < slots.count, generations[Int(slot)] == generation else { return nil }
        return slots[Int(slot)]
    }

    mutating func insert(clientIdentifier: String) -> Session {
        let slot: UInt32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = UInt32(slots.count)
            slots.append(nil)
            paths.append(DeliveryPath())
            generations.append(0)
        }
        let session = Session(clientIdentifier: clientIdentifier, slot: slot, generation: generations[Int(slot)])
        precondition(
            byIdentifier.updateValue(slot, forKey: ExactText(clientIdentifier)) == nil,
            "one session a client identifier")
        slots[Int(slot)] = session
        return session
    }

    mutating func remove(_ session: Session) {
        let slot = Int(session.slot)
        byIdentifier[ExactText(session.clientIdentifier)] = nil
        slots[slot] = nil
        if paths[slot].isDurable { durableCount -= 1 }
        paths[slot] = DeliveryPath()
        generations[slot] &+= 1
        freeSlots.append(session.slot)
    }

    /// Brings the session's path up to date; after every change of its connection, writability, expiry or backlog.
    mutating func updatePath(of session: Session) {
        let slot = Int(session.slot)
        if paths[slot].isDurable != session.isDurable { durableCount += session.isDurable ? 1 : -1 }
        guard let online = session.online else {
            paths[slot] = DeliveryPath(isDurable: session.isDurable)
            return
        }
        let isPlain = online.isPlain && !session.holdsBackQoSZero && !session.restrictsDelivery
        let mode: DeliveryPath.Mode = isPlain ? .plain : online.isReady ? .careful : .none
        paths[slot] = DeliveryPath(connection: online.connection, mode: mode, isDurable: session.isDurable)
    }
}
