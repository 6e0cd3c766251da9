import BrokerCore
import MQTTBridge
import MQTTModel
import SimulationKit

/// Two brokers as they are, on engines that outlive a crash, and the bridge between them over links that are cut. Each
/// broker has a client that publishes and one that takes everything. All of it follows from the seed.
final class BridgeSimulation {
    /// A connection of the bridge, and what is under way on it.
    private struct Wire {
        let connection: DriverConnection
        /// From the broker to the bridge.
        var inbound: [Packet] = []
        /// From the bridge to the broker.
        var outbound: [Packet] = []
    }

    private struct Broker {
        let driver: CoreDriver
        let publisher: LastingClient
        let subscriber: LastingClient
        var published: [QoS: [String]] = [:]
    }

    private let options: BridgeOptions
    private var random: SplitMix64
    private var now: Instant
    private var brokers: [BridgeSide: Broker] = [:]
    private var wires: [BridgeSide: Wire] = [:]
    private var bridge: Bridge
    /// The connection that the bridge has asked for.
    private var opening: BridgeSide?
    /// Whether connections to the remote broker can be made.
    private var isLinkCut = false
    private var events: [BridgeEvent] = []
    private(set) var problems: [String] = []

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        var options = BridgeOptions(name: "cloud")
        options.clientIdentifier = "edge"
        options.version = random.chance(70) ? .v5_0 : .v3_1_1
        options.usesBridgeBit = false
        // Without No Local each direction has topics of its own.
        options.topics =
            options.version == .v5_0
            ? [BridgeTopic("#", .both)] : [BridgeTopic("local/#", .out), BridgeTopic("remote/#", .in)]
        options.maximumInflightMessages = random.pick([1, 2, 64])
        options.shortestDelay = .milliseconds(50)
        options.longestDelay = .milliseconds(200)
        self.options = options
        bridge = Bridge(options: options)
        now = Instant(nanoseconds: 1_000_000_000)
        for side in BridgeSide.allCases {
            var limits = BrokerOptions()
            limits.statusInterval = .zero
            limits.limits.receiveMaximum = random.pick([1, 3, 1_024])
            limits.limits.maximumInflightMessages = random.pick([1, 20, 256])
            let driver = CoreDriver(
                shardCount: random.integer(in: 1...2), options: limits, seed: random.next())
            driver.useLastingEngine(maximumCommitDelayMilliseconds: random.pick([0, 20]))
            brokers[side] = Broker(
                driver: driver, publisher: LastingClient("publisher", of: driver),
                subscriber: LastingClient("subscriber", of: driver, subscribingTo: "#"))
        }
        wait(.seconds(1))
        step(.started)
    }

    func run(steps: Int) {
        // Nothing is promised of what was published before the first link.
        settle()
        for _ in 0..<steps {
            act()
            attend()
        }
        settle()
        judge()
    }

    // MARK: What happens

    private func act() {
        let side = random.pick(BridgeSide.allCases)
        switch random.integer(in: 0...99) {
        case 0..<20: publish(at: side)
        case 20..<50: arrive(random.integer(in: 1...8), at: side)
        case 50..<80: handOver(random.integer(in: 1...8), from: side)
        case 80..<83: cut(side)
        case 83..<84: isLinkCut.toggle()
        case 84..<86: crash(side)
        default: wait(.milliseconds(random.integer(in: 1...100)))
        }
    }

    private func publish(at side: BridgeSide) {
        guard var broker = brokers[side] else { return }
        for _ in 0..<random.integer(in: 1...4) {
            let qos = random.pick([QoS.atMostOnce, .atLeastOnce, .exactlyOnce, .exactlyOnce])
            let text = "\(side) \(qos.rawValue) \(broker.published[qos, default: []].count)"
            broker.published[qos, default: []].append(text)
            broker.publisher.publish(text, to: "\(side)/topic", qos: qos)
        }
        brokers[side] = broker
    }

    /// The link fails: of what the bridge has sent a part arrives.
    private func cut(_ side: BridgeSide) {
        guard wires[side] != nil else { return }
        arrive(random.integer(in: 0...8), at: side)
        drop(side)
        step(.connectionClosed(side))
    }

    /// The process of a broker ends without a word, and with the local one the bridge.
    private func crash(_ side: BridgeSide) {
        guard let driver = brokers[side]?.driver else { return }
        driver.crash()
        if side == .local {
            for side in BridgeSide.allCases { drop(side) }
            opening = nil
            driver.restart()
            bridge = Bridge(options: options)
            step(.started)
        } else {
            let wasThere = wires[side] != nil
            drop(side)
            driver.restart()
            if wasThere { step(.connectionClosed(side)) }
        }
    }

    private func wait(_ duration: Duration) {
        now = now.advanced(by: duration)
        for side in BridgeSide.allCases {
            guard let driver = brokers[side]?.driver else { continue }
            driver.advance(to: max(now, driver.now))
            now = max(now, driver.now)
        }
    }

    // MARK: The bridge's driver

    private func step(_ input: BridgeInput) {
        var actions: [BridgeAction] = []
        bridge.step(input, at: now, using: &random, into: &actions)
        for action in actions {
            switch action {
            case .open(let side, _): opening = side
            case .connect(let packet, let side, _): wires[side]?.outbound.append(.connect(packet))
            case .send(let packet, let side): wires[side]?.outbound.append(packet)
            case .close(let side):
                if opening == side { opening = nil }
                arrive(.max, at: side)
                drop(side)
            case .report(.messageUnmatched), .report(.loopStopped), .report(.messageRefused),
                .report(.messageTooLarge), .report(.disconnected(_, .violation, _)):
                problems.append("\(action)")
            case .report(let event): events.append(event)
            }
        }
    }

    /// Everybody does what is theirs to do at once.
    private func attend() {
        wait(.zero)
        if let side = opening {
            opening = nil
            if side == .remote, isLinkCut {
                step(.connectionFailed(side, "cut"))
            } else if let driver = brokers[side]?.driver {
                wires[side] = Wire(connection: driver.open())
                step(.connectionOpened(side))
            }
        }
        if now >= bridge.deadline { step(.deadlineReached) }
        for side in BridgeSide.allCases {
            guard let broker = brokers[side] else { continue }
            broker.subscriber.turn()
            guard let wire = wires[side] else { continue }
            wires[side]?.inbound += broker.driver.receivePackets(of: wire.connection)
            guard !broker.driver.isOpen(wire.connection), wires[side]?.inbound.isEmpty == true else { continue }
            drop(side)
            step(.connectionClosed(side))
        }
    }

    /// What the bridge has sent arrives at the broker.
    private func arrive(_ maximum: Int, at side: BridgeSide) {
        guard let wire = wires[side], let driver = brokers[side]?.driver else { return }
        let version = side == .local ? .v5_0 : options.version.protocolVersion
        for packet in wire.outbound.prefix(maximum) { driver.send(packet, version: version, on: wire.connection) }
        wires[side]?.outbound.removeFirst(min(maximum, wire.outbound.count))
    }

    /// The bridge takes what has arrived.
    private func handOver(_ maximum: Int, from side: BridgeSide) {
        for _ in 0..<maximum {
            guard bridge.isReading(side), let packet = wires[side]?.inbound.first else { return }
            wires[side]?.inbound.removeFirst()
            step(.packetReceived(packet, side))
        }
    }

    private func drop(_ side: BridgeSide) {
        guard let wire = wires.removeValue(forKey: side) else { return }
        brokers[side]?.driver.close(wire.connection)
    }

    // MARK: The end

    /// The link stays from now on, until nothing has happened for a while.
    private func settle() {
        isLinkCut = false
        var quietRounds = 0
        for _ in 0..<5_000 where quietRounds < 100 {
            let before = BridgeSide.allCases.map { brokers[$0]?.subscriber.received.count }
            for side in BridgeSide.allCases {
                arrive(.max, at: side)
                handOver(.max, from: side)
            }
            attend()
            wait(.milliseconds(20))
            let isQuiet = before == BridgeSide.allCases.map { brokers[$0]?.subscriber.received.count }
            quietRounds = isQuiet && bridge.isUp ? quietRounds + 1 : 0
        }
        if quietRounds < 100 { problems.append("the bridge has not come to rest; its last words: \(events.suffix(3))") }
    }

    private func judge() {
        for source in BridgeSide.allCases {
            guard let broker = brokers[source] else { continue }
            problems += broker.driver.faults
            for target in BridgeSide.allCases {
                let received = brokers[target]?.subscriber.received ?? []
                for (qos, published) in broker.published.sorted(by: { $0.key < $1.key }) {
                    let those = received.filter { $0.hasPrefix("\(source) \(qos.rawValue) ") }
                    judge(those, qos, published, "from \(source) at \(target)")
                }
            }
        }
    }

    private func judge(_ received: [String], _ qos: QoS, _ published: [String], _ place: String) {
        switch qos {
        case .exactlyOnce:
            if received != published { problems.append("\(place), QoS 2: \(difference(received, published))") }
        case .atLeastOnce:
            var seen: Set<String> = []
            let firsts = received.filter { seen.insert($0).inserted }
            if firsts != published { problems.append("\(place), QoS 1: \(difference(firsts, published))") }
        case .atMostOnce:
            var rest = published[...]
            for text in received {
                guard let index = rest.firstIndex(of: text) else {
                    return problems.append("\(place), QoS 0: \(text) is out of order or here again")
                }
                rest = rest[(index + 1)...]
            }
        }
    }

    private func difference(_ received: [String], _ published: [String]) -> String {
        let index = zip(received, published).prefix { $0 == $1 }.count
        return
            "\(received.count) of \(published.count) messages; from \(index) on \(received.dropFirst(index).prefix(5)) "
            + "in place of \(published.dropFirst(index).prefix(5))"
    }
}
