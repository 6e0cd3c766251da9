import Backbone
import Flock
import MQTTModel

/// Anything that nodes could write, as their batches come from the log. The same for the same seed.
struct History {
    private(set) var batches: [[UInt8]] = []
    private var random: Random
    private var incarnations: [String: UInt64] = [:]
    private var numbers: [String: UInt64] = [:]
    private let names = ["a", "b", "c"]
    private let clients = (0..<12).map { "client-\($0)" } + [""]

    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
    }

    init(seed: UInt64, count: Int) {
        random = Random(state: seed)
        while batches.count < count { addBatch() }
    }

    /// When the batches of the history are read.
    static let now: UInt64 = 2_000_000

    /// Adds the batches of a range, counted from 1 as places of the stream.
    static func add(_ batches: [[UInt8]], from first: Int, through last: Int, to state: inout FlockState) throws {
        for stream in first...max(first, last) where stream <= last {
            let batch = try batches[stream - 1].withUnsafeBytes { try FlockBatch($0, at: now) }
            state.apply(batch, stream: UInt64(stream), now: now)
        }
    }

    private var stream: UInt64 { UInt64(batches.count) + 1 }

    private mutating func number(below bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    private mutating func chance(_ percent: Int) -> Bool { number(below: 100) < percent }

    private mutating func position() -> LogSequence {
        LogSequence(stream: UInt64.random(in: 1...stream, using: &random), index: number(below: 3))
    }

    private mutating func addBatch() {
        let name = names[number(below: names.count)]
        if incarnations[name] == nil || chance(2) {
            incarnations[name, default: 0] += 1
            numbers[name] = 0
            return add(name, [.nodeUp(reads: FlockBatch.version)])
        }
        numbers[name, default: 0] += 1
        let count = 1 + number(below: 5)
        var records: [FlockRecord] = []
        for _ in 0..<count { records.append(record()) }
        add(name, records)
    }

    private mutating func add(_ name: String, _ records: [FlockRecord]) {
        let identity = FlockBatch.Identity(
            node: name, incarnation: incarnations[name] ?? 0, number: numbers[name] ?? 0)
        let batch = FlockBatch(identity: identity, writtenAt: 1_000_000 + stream * 1000, records: records)
        batches.append(batch.encoded())
    }

    private mutating func record() -> FlockRecord {
        switch number(below: 100) {
        case 0..<30: return .append(append())
        case 30..<75:
            var changes: [SessionChange] = []
            for _ in 0..<(1 + number(below: 3)) { changes.append(change(of: clients[number(below: clients.count)])) }
            return .changes(changes)
        case 75..<85: return .claim(client: clients[number(below: clients.count)])
        case 85..<97: return .needed(above: position())
        case 97: return .dropped(through: chance(50) ? 0 : position())
        case 98: return .snapshot(stream: stream / 2, byteCount: 100)
        default:
            let name = names[number(below: names.count)]
            return .nodeDown(name: name, incarnation: incarnations[name] ?? 0)
        }
    }

    private mutating func message() -> ApplicationMessage {
        let message = ApplicationMessage(
            topic: "t/\(number(below: 20))", payload: [UInt8](repeating: 7, count: number(below: 8)),
            qos: chance(50) ? .atLeastOnce : .exactlyOnce, isRetained: chance(50))
        if chance(30) { message.expiryInterval = UInt32(number(below: 2000)) }
        message.publisherHash = random.next()
        return message
    }

    private mutating func append() -> LogAppend {
        var append = LogAppend(message: message(), publisher: .none)
        append.isKept = chance(90)
        if chance(20) {
            append.received = ReceivedExchange(
                clientIdentifier: clients[number(below: clients.count)],
                packetIdentifier: UInt16(1 + number(below: 9)))
        }
        if chance(5) { append.willOf = clients[number(below: clients.count)] }
        return append
    }

    private mutating func change(of client: String) -> SessionChange {
        let options = SubscriptionOptions(maximumQoS: .exactlyOnce, noLocal: chance(50))
        let pattern = "t/\(["+", "1", "2"][number(below: 3)])"
        let group = SharedGroup(name: "g\(number(below: 2))", pattern: pattern)
        let filter =
            chance(30) ? "$share/\(group.name)/\(group.pattern)" : "t/\(chance(30) ? "+" : "\(number(below: 20))")"
        let exchange = SentExchange(sequence: position(), group: chance(30) ? group : nil)
        switch number(below: 17) {
        case 0: return .began(clientIdentifier: client)
        case 1, 2:
            let will = chance(50) ? Will(message: message(), delayInterval: UInt32(number(below: 9))) : nil
            return .connected(clientIdentifier: client, expiryInterval: chance(30) ? .max : 60, will: will)
        case 3:
            return .disconnected(
                clientIdentifier: client, expiryInterval: 60, willDelay: chance(50) ? UInt32(number(below: 9)) : nil)
        case 4: return chance(50) ? .ended(clientIdentifier: client) : .departed(clientIdentifier: client)
        case 5, 6, 7:
            return .subscribed(
                clientIdentifier: client, filter: filter, options: options, identifier: UInt32(number(below: 5)),
                since: position(), messagesWait: chance(50))
        case 8:
            return .unsubscribed(clientIdentifier: client, filter: filter, through: chance(50) ? position() : nil)
        case 9:
            let wish = RetainedWish(
                number: .wish(UInt64(number(below: 3))), pattern: filter, options: options, identifier: 3)
            return .wished(clientIdentifier: client, wish)
        case 10: return .fulfilled(clientIdentifier: client, wish: .wish(UInt64(number(below: 3))))
        case 11:
            return .released(
                ReceivedExchange(clientIdentifier: client, packetIdentifier: UInt16(1 + number(below: 9))))
        case 12:
            return .sending(
                clientIdentifier: client, exchange, packetIdentifier: UInt16(1 + number(below: 9)),
                topic: chance(20) ? ExactText("t/1") : nil)
        case 13:
            return chance(50)
                ? .handedOver(clientIdentifier: client, exchange) : .finished(clientIdentifier: client, exchange)
        case 14: return .groupFinished(group, sequence: position())
        case 15: return .groupPassed(group, sequence: position(), clientIdentifier: client)
        default: return .advanced(clientIdentifier: client, through: position())
        }
    }
}

/// Everything that a state holds, in one order.
func describe(_ state: FlockState) -> [String] {
    var lines = ["stream \(state.stream)", "dropped \(state.droppedThrough) \(state.droppedMessages)"]
    lines += state.nodes.map { "node \($0.key.string) \($0.value)" }.sorted()
    lines += state.needed.map { "needed \($0.key.string) \($0.value)" }.sorted()
    lines += state.owners.keys.map { "owner \($0.string) \(state.owners[$0]?.string ?? "")" }.sorted()
    lines += state.sessions.values.map { describe($0) }.sorted()
    lines.append("unfinished \(state.shared.unfinishedCount) \(state.shared.firstUnfinished ?? 0)")
    for name in ["g0", "g1"] {
        for pattern in ["t/+", "t/1", "t/2"] {
            let group = SharedGroup(name: name, pattern: pattern)
            lines.append("group \(group) \(state.shared.members(of: group))")
        }
    }
    lines += state.kept.entries(wanted: [ExactText("#"): 0]).map { "kept \($0.sequence) \(describe($0.message))" }
    lines += state.retained.all.map {
        "retained \($0.position) \(describe($0.message)) \($0.expiresAt.map { "\($0)" } ?? "")"
    }
    lines.append("first needed \(state.firstNeeded ?? 0)")
    return lines
}

private func describe(_ session: StoredSession) -> String {
    let will = session.will.map {
        "\(describe($0.message)) \($0.delayInterval) \(String(describing: $0.message.expiryInterval))"
    }
    return
        "session \(session.clientIdentifier) \(session.expiryInterval) \(String(describing: session.disconnectedAt)) "
        + "\(will ?? "") \(String(describing: session.willDueAt)) \(session.subscriptions) \(session.received) "
        + "\(session.sent) \(session.wishes) \(session.cursor)"
}

private func describe(_ message: ApplicationMessage) -> String {
    "\(message.topicString) \(Array(message.payload)) \(message.qos) \(message.isRetained) \(message.publisherHash)"
}
