import MQTTCodec
import MQTTModel
import struct NIOCore.ByteBuffer

/// A client that does what no client should, over and over, on connections of its own.
final class HostileClient {
    private enum Trick: CaseIterable {
        case garbage, cutPacket, wrongState, flood, neverReads, slowConnect, stolenIdentifier, secondConnect
    }

    let index: Int
    private unowned let simulation: Simulation
    private var random: SplitMix64
    private var link: Int?
    /// What it still sends on its link, a few bytes each time.
    private var script: [UInt8] = []
    private var pieceLength = 1

    init(index: Int, simulation: Simulation, random: SplitMix64) {
        self.index = index
        self.simulation = simulation
        self.random = random
    }

    /// Goes on with what it is doing, or begins something new.
    func act() {
        if let link, !simulation.links[link].isOver, !simulation.hasHealed {
            if script.isEmpty {
                if random.chance(20) { leave() }
            } else {
                simulation.write(Array(script.prefix(pieceLength)), to: link)
                script.removeFirst(min(pieceLength, script.count))
            }
        } else if !simulation.hasHealed, simulation.hasUsableNode {
            begin()
        }
    }

    func leave() {
        if let link, !simulation.links[link].isOver { simulation.breakLink(link, noticedAfter: .zero) }
        link = nil
    }

    private func begin() {
        link = simulation.openLink(for: .hostile(index))
        pieceLength = random.pick([1, 3, 1000])
        // A session under another's name is not followed over a crash.
        let isFollowed =
            simulation.swarm.crashCount == 0 && !simulation.swarm.hasFailingEngine && simulation.flock == nil
        let trick = random.pick(Trick.allCases.filter { isFollowed || $0 != .stolenIdentifier })
        let version = random.pick([ProtocolVersion.v3_1_1, .v5_0])
        var buffer = ByteBuffer()
        if trick != .garbage, trick != .slowConnect, trick != .wrongState || random.chance(80) {
            PacketEncoder.append(.connect(connect(trick, version)), version: version, to: &buffer)
        }
        switch trick {
        case .garbage: buffer.writeBytes(randomBytes(random.integer(in: 1...60)))
        case .slowConnect:
            PacketEncoder.append(.connect(connect(trick, version)), version: version, to: &buffer)
            pieceLength = 1
        case .cutPacket, .wrongState: appendPackets(1...3, version, to: &buffer, mutated: trick == .cutPacket)
        case .flood: appendPackets(20...60, version, to: &buffer, mutated: false)
        case .neverReads:
            subscribeToEverything(version, to: &buffer)
            if let link { simulation.links[link].isStalled = true }
        case .secondConnect:
            PacketEncoder.append(.connect(connect(trick, version)), version: version, to: &buffer)
        case .stolenIdentifier: break
        }
        script = Array(buffer.readableBytesView)
    }

    private func connect(_ trick: Trick, _ version: ProtocolVersion) -> Connect {
        let isThief = trick == .stolenIdentifier
        let victim = random.integer(in: 0...(simulation.swarm.honestClients - 1))
        return Connect(
            version: version, clientIdentifier: isThief ? "client-\(victim)" : "hostile-\(index)", cleanStart: true,
            keepAlive: random.pick([0, 1]))
    }

    private func subscribeToEverything(_ version: ProtocolVersion, to buffer: inout ByteBuffer) {
        let entry = Subscribe.Entry(filter: "#", options: SubscriptionOptions(maximumQoS: random.pick(QoS.allCases)))
        PacketEncoder.append(
            .subscribe(Subscribe(packetIdentifier: 1, entries: [entry])), version: version, to: &buffer)
    }

    private func appendPackets(
        _ count: ClosedRange<Int>, _ version: ProtocolVersion, to buffer: inout ByteBuffer, mutated: Bool
    ) {
        var generator = PacketGenerator(random: random.split(random.next()), topicPrefix: "h/")
        for _ in 0..<random.integer(in: count) {
            var bytes = generator.packet(version: version)
            if mutated { generator.mutate(&bytes) }
            buffer.writeBytes(bytes)
        }
    }

    private func randomBytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
}
