import MQTTModel

/// What came next on a connection.
enum Arrival: Sendable {
    case packet([UInt8])
    case closed
    /// Nothing, and nothing will come by itself (over a socket: nothing within the time limit).
    case nothing
}

/// A broker at one depth: network connections named by their client, and time.
protocol BrokerDepth {
    /// Whether time runs by itself.
    var isTimed: Bool { get }
    /// Whether it is several brokers that tell each other.
    var isFlock: Bool { get }
    /// Waits until what is on its way between the nodes of a flock has arrived.
    mutating func settle() throws
    mutating func open(_ client: String) throws
    mutating func send(_ bytes: [UInt8], from client: String) throws
    mutating func next(at client: String) throws -> Arrival
    /// Breaks the connection; afterwards the broker knows.
    mutating func drop(_ client: String) throws
    mutating func pass(_ duration: Duration) throws
    mutating func shutDown() throws
}

extension BrokerDepth {
    var isFlock: Bool { false }
    mutating func settle() throws {}
}

/// Runs the steps of an exchange against a broker, and watches every connection for what must never happen.
struct ExchangeRunner<Depth: BrokerDepth> {
    private struct Endpoint {
        var version: ProtocolVersion
        var watch = ConnectionWatch()
        var isOpen = false
        /// Packets that came before a barrier and have not been expected yet.
        var waiting: [ServerPacket] = []
        var isAtEnd = false
    }

    var depth: Depth
    private let version: ProtocolVersion
    private var endpoints: [String: Endpoint] = [:]
    /// The names of packet identifiers, by client.
    private var names: [String: [String: UInt16]] = [:]
    /// The client that has sent the last packet, if that was a message of QoS 0.
    private var besideLog: String?
    private(set) var transcript: [String] = []

    init(_ depth: Depth, version: ProtocolVersion) {
        self.depth = depth
        self.version = version
    }

    mutating func run(_ steps: [Step]) throws {
        for step in steps { try run(step) }
    }

    private mutating func run(_ step: Step) throws {
        switch step {
        case .open(let client): try open(client.name)
        case .send(let client, let packet): try send(packet, from: client.name)
        case .get(let client, let expected, let inOrder):
            if inOrder {
                for one in expected { try get([one], at: client.name) }
            } else {
                var missing = expected
                while !missing.isEmpty { missing.remove(at: try get(missing, at: client.name)) }
            }
        case .getOrClose(let client, let expected):
            if let packet = try next(at: client.name) {
                endpoints[client.name]?.waiting.insert(packet, at: 0)
                try get([expected], at: client.name)
            }
        case .getNothing(let client): try getNothing(at: client.name)
        case .isClosed(let client): try expectClose(of: client.name)
        case .isRefused(let client, let codes):
            if endpoints[client.name]?.version == .v5_0 {
                try get([.disconnection(codes)], at: client.name)
            }
            try expectClose(of: client.name)
        case .drop(let client):
            // A will may be the message.
            try depth.settle()
            try depth.drop(client.name)
            try depth.settle()
            transcript.append("\(client.name) ✗")
            endpoints[client.name]?.isOpen = false
        case .pass(let duration):
            transcript.append("… \(duration)")
            try depth.pass(duration)
        case .await(let duration):
            transcript.append("… up to \(duration)")
            if !depth.isTimed { try depth.pass(duration) }
        case .shutDown:
            transcript.append("shutdown")
            try depth.shutDown()
        case .only(let versions, let steps):
            if versions.contains(version) { try run(steps) }
        }
    }

    // MARK: Sending

    private mutating func open(_ client: String) throws {
        if endpoints[client]?.isOpen == true { try depth.drop(client) }
        endpoints[client] = Endpoint(version: version, isOpen: true)
        try depth.open(client)
    }

    private mutating func send(_ packet: ClientPacket, from client: String) throws {
        if case .connection(let fields) = packet {
            let spoken = fields.version ?? version
            endpoints[client]?.version = spoken
            endpoints[client]?.watch.connect(fields)
        }
        let known = names[client] ?? [:]
        let bytes = try packet.bytes(version: endpoints[client]?.version ?? version, name: client) { identifier in
            switch identifier {
            case .number(let number): return number
            case .named(let name):
                guard let number = known[name] else { throw WireFault("no packet identifier \(name)") }
                return number
            }
        }
        transcript.append("\(client) → \(bytes.hexDigits)")
        endpoints[client]?.watch.sent(packet, known)
        forget(packet, of: client)
        try settle(before: packet, from: client)
        try depth.send(bytes, from: client)
    }

    /// A name may be given to another packet identifier once the broker may use the number again.
    private mutating func forget(_ packet: ClientPacket, of client: String) {
        guard case .acknowledgement(let type, .named(let name), let code, _) = packet else { return }
        if type == .pubAck || type == .pubComp || (type == .pubRec && (code ?? 0) >= 0x80) {
            names[client]?[name] = nil
        }
    }

    /// Between the nodes of a flock a message of QoS 0 goes another way than everything else, which may overtake it or be
    /// overtaken by it; messages of one client and of one QoS may not.
    private mutating func settle(before packet: ClientPacket, from client: String) throws {
        guard depth.isFlock else { return }
        // A message that was acknowledged elsewhere a moment before may come on its way and be a retained one as well.
        if case .subscription = packet { try depth.settle() }
        let isBesideLog = if case .publication(_, _, 0, _, _, _, _) = packet { true } else { false }
        if isBesideLog != (besideLog == client) { try depth.settle() }
        besideLog = isBesideLog ? client : nil
    }

    // MARK: Receiving

    /// The next packet, or nil at the close.
    private mutating func next(at client: String) throws -> ServerPacket? {
        if let packet = endpoints[client]?.waiting.first {
            endpoints[client]?.waiting.removeFirst()
            return packet
        }
        if endpoints[client]?.isAtEnd == true { return nil }
        switch try depth.next(at: client) {
        case .packet(let bytes):
            transcript.append("\(client) ← \(bytes.hexDigits)")
            let packet = try ServerPacket(bytes, version: endpoints[client]?.version ?? version)
            transcript[transcript.count - 1] += "  \(packet)"
            try endpoints[client]?.watch.received(packet)
            return packet
        case .closed:
            transcript.append("\(client) closed by the broker")
            endpoints[client]?.isAtEnd = true
            return nil
        case .nothing: throw WireFault("\(client) got nothing")
        }
    }

    /// Takes the next packet, which has to be one of those expected; which one.
    @discardableResult
    private mutating func get(_ expected: [Expected], at client: String) throws -> Int {
        guard let packet = try next(at: client) else { throw WireFault("\(client) was closed, expected \(expected)") }
        var faults: [String] = []
        for (index, one) in expected.enumerated() {
            var bound = names[client] ?? [:]
            let fault = one.mismatch(
                packet, version: endpoints[client]?.version ?? version, isTimed: depth.isTimed
            ) { identifier, number in
                switch identifier {
                case .number(let wanted): return wanted == number ? nil : "expected packet identifier \(wanted)"
                case .named(let name):
                    if let wanted = bound[name] {
                        return wanted == number ? nil : "expected packet identifier \(wanted), which is \(name)"
                    }
                    if let other = bound.first(where: { $0.value == number }) {
                        return "[MQTT-2.2.1-4] packet identifier \(number) is \(other.key) and in use"
                    }
                    bound[name] = number
                    return nil
                }
            }
            guard let fault else {
                names[client] = bound
                return index
            }
            faults.append(fault)
        }
        throw WireFault("\(client) got \(packet): \(faults.joined(separator: "; or "))")
    }

    private mutating func expectClose(of client: String) throws {
        if let packet = try next(at: client) { throw WireFault("\(client) got \(packet), expected the close") }
        endpoints[client]?.isOpen = false
        try depth.drop(client)
        // The end of a connection counts on other nodes when the log has it.
        try depth.settle()
    }

    private mutating func getNothing(at client: String) throws {
        if depth.isTimed {
            // What others have sent has to be through first.
            for other in endpoints.keys.sorted() where other != client { try pass(barrierAt: other) }
            if depth.isFlock {
                try depth.settle()
                // What has arrived is taken up after the packets that came with it.
                try pass(barrierAt: client)
            }
            try pass(barrierAt: client)
        }
        if let packet = endpoints[client]?.waiting.first { throw WireFault("\(client) got \(packet)") }
        if endpoints[client]?.isAtEnd == true { throw WireFault("\(client) was closed") }
        guard !depth.isTimed else { return }
        switch try depth.next(at: client) {
        case .nothing: return
        case .closed: throw WireFault("\(client) was closed")
        case .packet(let bytes): throw WireFault("\(client) got \(bytes.hexDigits)")
        }
    }

    /// A ping there and back: everything sent before it has been answered.
    private mutating func pass(barrierAt client: String) throws {
        guard endpoints[client]?.isOpen == true, endpoints[client]?.watch.isConnected == true,
            endpoints[client]?.isAtEnd == false
        else { return }
        var early = endpoints[client]?.waiting ?? []
        endpoints[client]?.waiting = []
        try depth.send([0xC0, 0x00], from: client)
        while let packet = try next(at: client) {
            if packet.type == .pingResp { break }
            early.append(packet)
        }
        endpoints[client]?.waiting = early
    }
}
