import MQTTBridge
import MQTTCodec
import MQTTModel

/// What must hold of a bridge whatever its two brokers do. Any bytes are a script: two for the options, then operations of
/// three bytes each, `BridgeCheck.Operation`.
///
/// - Nothing is acknowledged to one side but what the other has acknowledged in that moment, or what is not passed on.
/// - A packet identifier is not used for two things at a time, towards a broker that has not done so itself.
/// - No message leaves for a broker that it has been at, by the names it carries.
/// - What waits has a bound, and so has what one step does.
package struct BridgeCheck: ~Copyable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    enum Operation: UInt8, CaseIterable {
        /// What a broker that does nothing wrong would do next.
        case proceed
        case publish, acknowledge, answerAll, other, close, wait, pause, resume
    }

    private var script: ArraySlice<UInt8>
    var bridge: Bridge
    let options: BridgeOptions
    var now = Instant(nanoseconds: 1_000_000_000)
    var random = SeededRandom(seed: 1)
    var phases: [BridgeSide: Phase] = [:]
    /// By side: what the bridge has sent there and is not finished.
    var publishes: [BridgeSide: Set<PacketIdentifier>] = [:]
    var subscribes: [BridgeSide: Set<PacketIdentifier>] = [:]
    var releases: [BridgeSide: [PacketIdentifier]] = [:]
    var receiveMaximum: [BridgeSide: Int] = [:]
    var outcome: Set<String> = []

    /// Of the connection to one broker.
    enum Phase { case asked, opened, greeted, relaying }

    /// - Returns: what happened, to tell scripts apart that go different ways.
    package static func run(_ script: [UInt8]) throws(Failure) -> Set<String> {
        var check = BridgeCheck(script)
        try check.run()
        return check.outcome
    }

    /// A script in which brokers mostly do what is right, or there would never be a link.
    package static func script(using random: inout SeededRandom) -> [UInt8] {
        var script = [UInt8(truncatingIfNeeded: random.next()), UInt8(truncatingIfNeeded: random.next())]
        let open: [[UInt8]] = [[0, 0x80, 0], [0, 0x80, 1], [0, 0, 0], [0, 0, 1]]
        for part in open {
            script += random.once(in: 8) ? [0, part[1], UInt8(truncatingIfNeeded: random.next())] : part
        }
        for _ in 0..<random.below(60) {
            let operation = random.pick([0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 7, 8] as [UInt8])
            script += [operation, UInt8(truncatingIfNeeded: random.next()), UInt8(truncatingIfNeeded: random.next())]
        }
        return script
    }

    private init(_ bytes: [UInt8]) {
        script = bytes[...]
        let choice = script.popFirst() ?? 0
        let limits = script.popFirst() ?? 0
        var options = BridgeOptions(name: "b")
        options.clientIdentifier = "c"
        options.version = choice & 0x01 == 0 ? .v5_0 : .v3_1_1
        options.topics =
            choice & 0x02 == 0
            ? [BridgeTopic("#", .both, maximumQoS: QoS(rawValue: choice >> 6) ?? .exactlyOnce)]
            : [BridgeTopic("a/#", .out, remotePrefix: "r/"), BridgeTopic("b", .in, localPrefix: "l/")]
        options.localName = choice & 0x04 == 0 ? nil : "L"
        options.remoteName = choice & 0x08 == 0 ? nil : "R"
        options.maximumHops = 1 + Int(limits & 0x03)
        options.maximumInflightMessages = limits & 0x04 == 0 ? 64 : 1
        options.maximumPendingBytes = 1_024
        self.options = options
        bridge = Bridge(options: options)
    }

    private mutating func run() throws(Failure) {
        try step(.started)
        while let operation = script.popFirst(), let first = script.popFirst(), let second = script.popFirst() {
            let side: BridgeSide = first & 0x80 == 0 ? .local : .remote
            switch Operation(rawValue: operation % UInt8(Operation.allCases.count)) {
            case .proceed, nil: try proceed(side, second)
            case .publish: try publish(from: side, first, second)
            case .acknowledge: try acknowledge(from: side, first, second)
            case .answerAll: try answerAll(side)
            case .other: try receive(Self.packet(second), from: side)
            case .close:
                guard phases[side] != nil else { continue }
                try step(second & 1 == 0 ? .connectionClosed(side) : .connectionFailed(side, "cut"))
            case .wait:
                now =
                    second & 1 == 0
                    ? now.advanced(seconds: UInt16(second)) : min(bridge.deadline, now.advanced(seconds: 600))
                try step(.deadlineReached)
            case .pause: try step(.readingPaused(side))
            case .resume: try step(.readingResumed(side))
            }
        }
        try step(.stopRequested)
        if bridge.deadline != .distantFuture { throw Failure(description: "a bridge that has stopped waits") }
    }

    // MARK: What the brokers do

    private mutating func proceed(_ side: BridgeSide, _ choice: UInt8) throws(Failure) {
        switch phases[side] {
        case .asked:
            phases[side] = .opened
            try step(.connectionOpened(side))
        case .greeted:
            var properties: Properties = []
            var maximum: UInt16?
            if side == .local || options.version == .v5_0 {
                if choice & 0x02 != 0 {
                    properties.append(.receiveMaximum(2))
                    maximum = 2
                }
                if choice & 0x0C == 0x04 { properties.append(.maximumQoS(0)) }
                if choice & 0x0C == 0x08 { properties.append(.maximumQoS(1)) }
                if choice & 0x10 != 0 { properties.append(.maximumPacketSize(40)) }
            }
            try receive(
                .connAck(
                    ConnAck(
                        isSessionPresent: choice & 0x01 != 0,
                        reasonCode: choice & 0xE0 == 0xE0 ? .notAuthorized : .success, properties: properties)),
                from: side, maximum)
        case .relaying, .opened, nil: try receive(.pingResp, from: side)
        }
    }

    /// Finishes all that the bridge has sent.
    private mutating func answerAll(_ side: BridgeSide) throws(Failure) {
        for identifier in (subscribes[side] ?? []).sorted() {
            try receive(
                .subAck(SubAck(packetIdentifier: identifier, reasonCodes: [.grantedQoS2, .grantedQoS2])), from: side)
        }
        let released = releases[side] ?? []
        releases[side] = []
        for identifier in released {
            try receive(.acknowledgement(Acknowledgement(.pubComp, identifier)), from: side)
        }
    }

    private mutating func publish(from side: BridgeSide, _ first: UInt8, _ second: UInt8) throws(Failure) {
        let qos = QoS(rawValue: first & 0x03) ?? .exactlyOnce
        let topics = ["a/x", "b", "r/a", "z"]
        let names = ["", "", "L", "R", "x,y", "x,y,z,w", "L,R", ","]
        let name = names[Int(second >> 5)]
        let properties: Properties =
            name.isEmpty ? [] : [.userProperty(name: "dunlin-bridge-path", value: name)]
        let encoded = PacketEncoder.encodeForwardedProperties(properties)
        let payload = [UInt8](repeating: 1, count: first & 0x40 == 0 ? 1 : 100)
        let message = Array(topics[Int(first >> 2 & 0x03)].utf8).withUnsafeBytes { topic in
            encoded.withUnsafeBytes { encoded in
                payload.withUnsafeBytes { ApplicationMessage(topic: topic, encodedProperties: encoded, payload: $0) }
            }
        }
        let packet = Publish(
            message: message, qos: qos, packetIdentifier: qos == .atMostOnce ? 0 : Self.identifier(second),
            isDuplicate: first & 0x10 != 0)
        try receive(.publish(packet), from: side)
    }

    private mutating func acknowledge(from side: BridgeSide, _ first: UInt8, _ second: UInt8) throws(Failure) {
        let kind = [Acknowledgement.Kind.pubAck, .pubRec, .pubRel, .pubComp][Int(first & 0x03)]
        let reasonCode: ReasonCode = [.success, .success, .notAuthorized, .quotaExceeded][Int(first >> 2 & 0x03)]
        try receive(
            .acknowledgement(Acknowledgement(kind, Self.identifier(second), reasonCode: reasonCode)), from: side)
    }

    /// Few, so that they meet; some are those of the bridge's SUBSCRIBEs.
    private static func identifier(_ byte: UInt8) -> PacketIdentifier {
        byte & 0x10 == 0 ? PacketIdentifier(byte & 0x07) + 1 : .max - PacketIdentifier(byte & 0x03)
    }

    private static func packet(_ choice: UInt8) -> Packet {
        switch choice % 9 {
        case 0: .connAck(ConnAck(reasonCode: .success))
        case 1: .subAck(SubAck(packetIdentifier: identifier(choice), reasonCodes: [.success]))
        case 2: .unsubAck(UnsubAck(packetIdentifier: identifier(choice), reasonCodes: []))
        case 3: .pingReq
        case 4: .pingResp
        case 5: .disconnect(Disconnect(reasonCode: .serverBusy))
        case 6: .connect(Connect(version: .v5_0, clientIdentifier: "x"))
        case 7: .auth(Auth(reasonCode: .success))
        default: .subAck(SubAck(packetIdentifier: .max, reasonCodes: []))
        }
    }

    private mutating func receive(_ packet: Packet, from side: BridgeSide, _ maximum: UInt16? = nil) throws(Failure) {
        guard bridge.isReading(side), phases[side] == .relaying || phases[side] == .greeted else { return }
        if case .connAck = packet, phases[side] == .greeted {
            phases[side] = .relaying
            receiveMaximum[side] =
                maximum.map(Int.init) ?? (side == .remote && options.version == .v3_1_1 ? 20 : Int(UInt16.max))
        }
        try step(.packetReceived(packet, side))
    }
}
