package import AccessControl
import Backbone
package import BrokerCore
package import MQTTModel
import MQTTCodec
import struct NIOCore.ByteBuffer

/// One node in one thread: the cores of all its shards, the backbone, and a virtual clock. Bytes of clients go in,
/// bytes for clients come out, and the same calls with the same seed give the same bytes.
///
/// The driver's duties (`BrokerCore`) are kept to the letter: effects in order; peers' messages, retained changes and
/// the backbone's answers after the effects of the step and before the next packet. With `deliversAtOnce` off they wait
/// in mailboxes until `deliverMailbox` or until a packet is handed to that shard, as between threads of production.
package final class CoreDriver {
    package let shardCount: Int
    package internal(set) var options: BrokerOptions
    package internal(set) var now = Instant(nanoseconds: 1_000_000_000)
    /// Whether mailboxes are emptied before a call returns.
    package var deliversAtOnce = true
    /// Whether the core is told that a connection is not writable by the bytes that wait in it; else `setWritable`.
    package var tracksWritability = false
    /// Answers for who clients are, where the options' policy checks them: as they say, if not set otherwise.
    package var authenticator: (AuthenticationRequest) -> AuthenticationOutcome = {
        .allowed(AccessGrant(userName: $0.userName))
    }
    /// Told of every input and every effect, for traces and checkers.
    package var observer: ((Observation) -> Void)?
    /// Where the driver itself or the core's invariants found something wrong; empty in a correct run.
    package internal(set) var faults: [String] = []

    /// What an observer sees.
    package enum Observation {
        case input(shard: Int, Input)
        case effect(shard: Int, Effect)
    }

    /// Client identifiers that have had a session.
    package private(set) var acceptedIdentifiers: Set<String> = []

    let shards: [Shard]
    var backbone = InMemoryBackbone()
    /// The engine that keeps what it is told; nil when nothing outlives the process.
    var engine: SimulatedBackbone?
    /// What several nodes share, in place of an engine.
    weak var flock: (any FlockAccess)?
    /// How many effects are run until the process ends, between two of them; nil while no crash is under way.
    var effectsUntilCrash: Int?
    /// The process is ending: nothing is done any more.
    var isCrashing: Bool { effectsUntilCrash == 0 }
    var connections: [ConnectionState] = []
    /// Connections with bytes that may be decoded now, in order.
    var readable: [DriverConnection] = []
    private var isRunning = false
    var random: SplitMix64

    /// A shard: its core, and what the driver keeps for it.
    final class Shard {
        let index: Int
        var core: BrokerCore
        var random: SplitMix64
        var effects = Effects()
        var deadline: Instant?
        var mailbox = Mailbox()
        var pool = MessagePool()
        /// By slot; nil where the slot is free.
        var slots: [DriverConnection?] = []
        var generations: [UInt32] = []

        init(index: Int, count: Int, options: BrokerOptions, random: SplitMix64) {
            self.index = index
            self.random = random
            core = BrokerCore(shard: UInt16(index), shardCount: UInt16(count), options: options)
        }

        /// A new process: what was in memory is gone.
        func begin(count: Int, options: BrokerOptions) {
            core = BrokerCore(shard: UInt16(index), shardCount: UInt16(count), options: options)
            effects.removeAll()
            deadline = nil
            mailbox = Mailbox()
        }

        func takeSlot(for connection: DriverConnection) -> ConnectionID {
            let slot = slots.firstIndex(where: { $0 == nil }) ?? slots.count
            if slot == slots.count {
                slots.append(nil)
                generations.append(0)
            }
            slots[slot] = connection
            generations[slot] += 1
            return ConnectionID(slot: UInt32(slot), generation: generations[slot])
        }

        func connection(of identifier: ConnectionID) -> DriverConnection? {
            let slot = Int(identifier.slot)
            guard slot < slots.count, generations[slot] == identifier.generation else { return nil }
            return slots[slot]
        }
    }

    package init(shardCount: Int = 1, options: BrokerOptions = BrokerOptions(), seed: UInt64 = 1) {
        precondition(shardCount >= 1 && shardCount <= 1 << 15, "a node has at least one shard")
        self.shardCount = shardCount
        self.options = options
        let random = SplitMix64(seed: seed)
        self.random = random
        shards = (0..<shardCount).map { index in
            Shard(index: index, count: shardCount, options: options, random: random.split(UInt64(index)))
        }
    }

    /// Other rules hold from now on.
    package func accessChanged(to policy: AccessPolicy) {
        for shard in shards { step(.accessChanged(policy), on: shard) }
        run()
    }

    // MARK: What clients do

    /// A client opens a network connection, which is accepted on `shard`; its CONNECT moves it to the home shard of the
    /// client identifier.
    package func open(on shard: Int = 0) -> DriverConnection {
        let connection = DriverConnection(index: connections.count)
        connections.append(ConnectionState(maximumPacketSize: options.limits.maximumPacketSize))
        attach(connection, to: shard)
        run()
        return connection
    }

    /// Bytes arrive from the client. Ignored once the broker has closed the connection.
    package func receive(_ bytes: some Sequence<UInt8>, on connection: DriverConnection) {
        guard connections[connection.index].location != nil else { return }
        connections[connection.index].inbound.writeBytes(bytes)
        readable.append(connection)
        run()
    }

    /// The client's end goes away: what it sent and was not decoded yet is lost, what was sent to it may still be taken.
    package func close(_ connection: DriverConnection) {
        guard let location = connections[connection.index].location else { return }
        detach(connection)
        step(.connectionClosed(location.identifier), on: shards[location.shard])
        run()
    }

    /// Tells the core that the connection's outbound buffer is above its high watermark, or below its low one.
    package func setWritable(_ isWritable: Bool, of connection: DriverConnection) {
        guard let location = connections[connection.index].location,
            connections[connection.index].isWritable != isWritable
        else { return }
        connections[connection.index].isWritable = isWritable
        step(.writabilityChanged(location.identifier, isWritable: isWritable), on: shards[location.shard])
        run()
    }

    /// Up to `maximum` of the bytes that the broker sent and nobody took yet.
    package func takeOutput(of connection: DriverConnection, maximum: Int = .max) -> [UInt8] {
        let count = min(maximum, connections[connection.index].outbound.readableBytes)
        let bytes = connections[connection.index].outbound.readBytes(length: count) ?? []
        if count > 0, connections[connection.index].outbound.readableBytes == 0 {
            connections[connection.index].outbound.clear()
        }
        updateWritability(of: connection)
        return bytes
    }

    /// Bytes that the broker sent and nobody took yet.
    package func outputCount(of connection: DriverConnection) -> Int {
        connections[connection.index].outbound.readableBytes
    }

    /// Whether the broker has closed the connection, after what `takeOutput` still returns.
    package func isClosed(_ connection: DriverConnection) -> Bool { connections[connection.index].isClosedByBroker }

    /// Whether neither side has ended the connection.
    package func isOpen(_ connection: DriverConnection) -> Bool { connections[connection.index].location != nil }

    /// The connection that the core of a shard knows by this identifier.
    package func connection(of identifier: ConnectionID, on shard: Int) -> DriverConnection? {
        shards[shard].connection(of: identifier)
    }

    /// What the core was told last of the connection's outbound buffer.
    package func isWritable(_ connection: DriverConnection) -> Bool { connections[connection.index].isWritable }

    /// Whether the broker has paused reading from the connection.
    package func isReadingPaused(_ connection: DriverConnection) -> Bool {
        connections[connection.index].isReadingPaused
    }

    /// Asks every shard to say goodbye to its clients.
    package func shutdown() {
        for shard in shards { step(.shutdownRequested, on: shard) }
        run()
    }

    // MARK: Time

    /// When the first deadline of a shard falls due; nil when there is none.
    package var nextDeadline: Instant? {
        let due = min(shards.compactMap(\.deadline).min() ?? .distantFuture, engine?.nextDue ?? .distantFuture)
        return due == .distantFuture ? nil : due
    }

    /// Lets time pass; deadlines fall due in their order.
    package func advance(by duration: Duration) { advance(to: now.advanced(by: duration)) }

    package func advance(to instant: Instant) {
        var firedAtNow = 0
        while !isCrashing, let due = nextDeadline, due <= instant {
            firedAtNow = due <= now ? firedAtNow + 1 : 0
            guard firedAtNow < 10_000 else {
                faults.append("a deadline is set again and again to an instant that has passed")
                break
            }
            now = max(now, due)
            if let due = engine?.nextDue, due <= now { runEngine() }
            for shard in shards where (shard.deadline ?? .distantFuture) <= now {
                shard.deadline = nil
                step(.deadlineReached, on: shard)
                run()
            }
        }
        now = max(now, instant)
    }

    // MARK: Mailboxes

    /// Whether something waits to be handed to the shard.
    package func hasMail(_ shard: Int) -> Bool { !shards[shard].mailbox.isEmpty }

    /// Hands the shard one of the items that wait for it, any that the contract lets go first.
    package func deliverMail(to shard: Int) {
        guard hasMail(shard) else { return }
        let item = shards[shard].mailbox.removeAny(using: &random)
        step(item.input, on: shards[shard])
        run()
    }

    /// Hands the shard all that waits for it.
    package func emptyMailbox(of shard: Int) {
        while hasMail(shard) { step(shards[shard].mailbox.removeFirst().input, on: shards[shard]) }
    }
}

// MARK: - Running

extension CoreDriver {
    private func attach(_ connection: DriverConnection, to shard: Int) {
        let identifier = shards[shard].takeSlot(for: connection)
        connections[connection.index].location = .init(shard: shard, identifier: identifier)
        step(.connectionOpened(identifier), on: shards[shard])
    }

    /// Forgets where the connection lived; its slot may be used again.
    func detach(_ connection: DriverConnection) {
        guard let location = connections[connection.index].location else { return }
        shards[location.shard].slots[Int(location.identifier.slot)] = nil
        connections[connection.index].location = nil
        connections[connection.index].inbound.clear()
    }

    /// Tells the shard's core one thing, and runs the effects.
    func step(_ input: Input, on shard: Shard) {
        guard !isCrashing else { return }
        observer?(.input(shard: shard.index, input))
        shard.effects.removeAll()
        shard.core.step(input, at: now, using: &shard.random, into: &shard.effects)
        for case .report(.clientConnected(_, let identifier, _, _)) in shard.effects.all {
            acceptedIdentifiers.insert(identifier)
        }
        runEffects(of: shard)
    }

    /// Puts down that something was wrong.
    package func noteFault(_ fault: String) { faults.append(fault) }

    /// Decodes and hands over what waits, until nothing is left that may go on now.
    func run() {
        guard !isRunning else { return }
        isRunning = true
        defer { isRunning = false }
        while !isCrashing {
            if deliversAtOnce, let shard = shards.first(where: { !$0.mailbox.isEmpty }) {
                step(shard.mailbox.removeFirst().input, on: shard)
            } else if let connection = readable.first {
                if !receivePacket(on: connection) { readable.removeFirst() }
            } else {
                return
            }
        }
    }

    /// Reading goes on: after the step that asked for it, not inside it.
    func continueReading(_ connection: DriverConnection) { readable.append(connection) }

    /// Decodes one packet and hands it over.
    /// - Returns: false when there is none, or none may be decoded now.
    private func receivePacket(on connection: DriverConnection) -> Bool {
        let index = connection.index
        guard let location = connections[index].location, !connections[index].isReadingPaused else { return false }
        do {
            let shard = shards[location.shard]
            guard let packet = try connections[index].decodePacket(pool: &shard.pool) else { return false }
            if case .connect(let connect) = packet, !connections[index].hasReceivedPacket {
                move(connection, toHomeOf: connect.clientIdentifier)
            }
            connections[index].hasReceivedPacket = true
            stepAfterMail(on: connection) { .packetReceived($0, packet) }
        } catch {
            let version = connections[index].decoder.version
            connections[index].inbound.clear()
            stepAfterMail(on: connection) { .violationReceived($0, error, version: version) }
            if connections[index].location != nil, !isCrashing {
                faults.append("a violation did not close the connection: \(error)")
            }
        }
        return true
    }

    /// Tells the core of something that the connection's client sent, after all that was sent to the shard before
    /// (duty 5). The mail may end the connection, by a limit for instance; then there is nothing to tell.
    private func stepAfterMail(on connection: DriverConnection, _ input: (ConnectionID) -> Input) {
        guard let shard = connections[connection.index].location?.shard else { return }
        emptyMailbox(of: shard)
        guard let location = connections[connection.index].location else { return }
        step(input(location.identifier), on: shards[location.shard])
    }

    /// Brings a connection to the home shard of its client identifier (duty 7).
    private func move(_ connection: DriverConnection, toHomeOf clientIdentifier: String) {
        guard let location = connections[connection.index].location, !clientIdentifier.isEmpty else { return }
        let home = Int(HomeShard.index(of: clientIdentifier, shardCount: UInt16(shardCount)))
        guard home != location.shard else { return }
        let inbound = connections[connection.index].inbound
        detach(connection)
        step(.connectionClosed(location.identifier), on: shards[location.shard])
        connections[connection.index].inbound = inbound
        attach(connection, to: home)
    }
}
