/// The shard's network connections by slot: what each is to the core.
struct ConnectionTable {
    enum Phase: UInt8 {
        /// Not there, or forgotten. Can transition to: `awaitingConnect`.
        case closed
        /// Accepted, its CONNECT has not come. Can transition to: `admitting`, `online`, `closed`.
        case awaitingConnect
        /// Its CONNECT has come, and it is being decided about: who the client is, and in a flock
        /// whether its session is free. Can transition to: `online`, `closed`.
        case admitting
        /// A session's connection. Can transition to: `closed`.
        case online
    }

    private struct Entry {
        var generation: UInt32 = 0
        var session: UInt32 = 0
        var phase: Phase = .closed
    }

    private var entries: [Entry] = []
    private(set) var openCount = 0

    var slots: Range<Int> { entries.indices }

    func phase(of connection: ConnectionID) -> Phase {
        let slot = Int(connection.slot)
        guard slot < entries.count, entries[slot].generation == connection.generation else { return .closed }
        return entries[slot].phase
    }

    /// The slot of the connection's session; nil when it has none.
    func session(of connection: ConnectionID) -> Int? {
        let slot = Int(connection.slot)
        guard slot < entries.count, entries[slot].generation == connection.generation, entries[slot].phase == .online
        else { return nil }
        return Int(entries[slot].session)
    }

    /// The connection in a slot that is open.
    func openConnection(inSlot slot: Int) -> ConnectionID? {
        guard entries[slot].phase != .closed else { return nil }
        return ConnectionID(slot: UInt32(slot), generation: entries[slot].generation)
    }

    mutating func open(_ connection: ConnectionID) {
        let slot = Int(connection.slot)
        while entries.count <= slot { entries.append(Entry()) }
        precondition(entries[slot].phase == .closed, "a slot is used again only after its connection was closed")
        entries[slot] = Entry(generation: connection.generation, phase: .awaitingConnect)
        openCount += 1
    }

    mutating func setAdmitting(_ connection: ConnectionID) {
        precondition(phase(of: connection) == .awaitingConnect, "a CONNECT is decided about once")
        entries[Int(connection.slot)].phase = .admitting
    }

    mutating func setOnline(_ connection: ConnectionID, session: UInt32) {
        let phase = phase(of: connection)
        precondition(phase == .awaitingConnect || phase == .admitting, "a connection gets its session once")
        entries[Int(connection.slot)].session = session
        entries[Int(connection.slot)].phase = .online
    }

    mutating func close(_ connection: ConnectionID) {
        guard phase(of: connection) != .closed else { return }
        entries[Int(connection.slot)].phase = .closed
        openCount -= 1
    }
}
