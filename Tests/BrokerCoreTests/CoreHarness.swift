import AccessControl
import Backbone
import BrokerCore
import MQTTModel

/// One shard under the test's hands: every effect is seen, and the backbone answers only when told to.
struct CoreHarness: ~Copyable {
    private var core: BrokerCore
    private var backbone = InMemoryBackbone()
    private var random = TestGenerator(state: 1)
    private var nextSlot: UInt32 = 0
    private(set) var now = Instant.zero
    private(set) var pendingCommands: [Pending] = []
    /// What the core had noted of sessions.
    var notes: [[SessionChange]] = []
    /// What the core wanted to know about clients.
    private(set) var requests: [AuthenticationRequest] = []
    private(set) var connAckProperties: [Properties] = []
    /// Whether the backbone answers at once what it is told of sessions; messages wait for the test.
    var answersNotesAtOnce = true

    struct Pending {
        let token: BackboneToken
        let command: BackboneCommand

        var isNote: Bool {
            switch command {
            case .append, .fetch, .claim: false
            case .store, .trim: true
            }
        }
    }

    /// After every step; not where there are very many sessions, all of which it visits.
    private let checksInvariants: Bool

    init(options: BrokerOptions = BrokerOptions(), checksInvariants: Bool = true) {
        core = BrokerCore(options: options)
        self.checksInvariants = checksInvariants
    }

    /// What a step did, in a form that tests can compare.
    enum Seen: Equatable {
        case publish(slot: UInt32, topic: String, qos: QoS, identifier: PacketIdentifier, isDuplicate: Bool)
        case acknowledge(slot: UInt32, Acknowledgement.Kind, PacketIdentifier, ReasonCode)
        case connAck(slot: UInt32, ReasonCode, isSessionPresent: Bool)
        case subAck(slot: UInt32, [ReasonCode])
        case disconnect(slot: UInt32, ReasonCode)
        case other(slot: UInt32)
        case auth(slot: UInt32, ReasonCode, Properties)
        case authenticate(slot: UInt32)
        case close(slot: UInt32)
        case pauseReading(slot: UInt32)
        case resumeReading(slot: UInt32)
    }

    mutating func step(_ input: Input) -> [Seen] {
        var seen = singleStep(input)
        while answersNotesAtOnce, let index = pendingCommands.firstIndex(where: \.isNote) {
            seen += singleStep(.backboneAnswered(pendingCommands.remove(at: index).token, .done))
        }
        return seen
    }

    private mutating func singleStep(_ input: Input) -> [Seen] {
        var effects = Effects()
        core.step(input, at: now, using: &random, into: &effects)
        if checksInvariants { core.checkInvariants() }
        return effects.all.flatMap { seen($0, effects) }
    }

    private mutating func seen(_ effect: Effect, _ effects: Effects) -> [Seen] {
        switch effect {
        case .publish(let message, let range, _):
            return effects.recipients[range].map {
                .publish(
                    slot: $0.connection.slot, topic: message.topicString, qos: $0.qos,
                    identifier: $0.packetIdentifier, isDuplicate: $0.isDuplicate)
            }
        case .acknowledge(let connection, let kind, let identifier, let reasonCode):
            return [.acknowledge(slot: connection.slot, kind, identifier, reasonCode)]
        case .send(let connection, .connAck(let connAck)):
            connAckProperties.append(connAck.properties)
            return [
                .connAck(
                    slot: connection.slot, connAck.reasonCode, isSessionPresent: connAck.isSessionPresent)
            ]
        case .send(let connection, .subAck(let subAck)):
            return [.subAck(slot: connection.slot, subAck.reasonCodes)]
        case .send(let connection, .disconnect(let disconnect)):
            return [.disconnect(slot: connection.slot, disconnect.reasonCode)]
        case .send(let connection, .auth(let auth)):
            return [.auth(slot: connection.slot, auth.reasonCode, auth.properties)]
        case .send(let connection, _): return [.other(slot: connection.slot)]
        case .close(let connection): return [.close(slot: connection.slot)]
        case .pauseReading(let connection): return [.pauseReading(slot: connection.slot)]
        case .resumeReading(let connection): return [.resumeReading(slot: connection.slot)]
        case .execute(let token, let command):
            pendingCommands.append(Pending(token: token, command: command))
            if case .store(let changes) = command { notes.append(changes) }
            return []
        case .authenticate(let connection, let request):
            requests.append(request)
            return [.authenticate(slot: connection.slot)]
        case .setDeadline, .forward, .report: return []
        }
    }

    mutating func open() -> ConnectionID {
        let connection = ConnectionID(slot: nextSlot, generation: 1)
        nextSlot += 1
        _ = step(.connectionOpened(connection))
        return connection
    }

    /// A connection whose CONNECT was accepted.
    mutating func connect(
        _ clientIdentifier: String, version: ProtocolVersion = .v5_0, cleanStart: Bool = true,
        properties: Properties = [], will: Will? = nil
    ) -> ConnectionID {
        let connection = open()
        _ = step(
            .packetReceived(
                connection,
                .connect(
                    Connect(
                        version: version, clientIdentifier: clientIdentifier, cleanStart: cleanStart, will: will,
                        properties: properties))))
        return connection
    }

    mutating func subscribe(_ connection: ConnectionID, to filter: String, qos: QoS = .exactlyOnce) -> [Seen] {
        step(
            .packetReceived(
                connection,
                .subscribe(
                    Subscribe(
                        packetIdentifier: 1,
                        entries: [.init(filter: filter, options: SubscriptionOptions(maximumQoS: qos))]))))
    }

    mutating func publish(
        _ connection: ConnectionID, _ topic: String, qos: QoS, identifier: PacketIdentifier = 0,
        isRetained: Bool = false, isDuplicate: Bool = false
    ) -> [Seen] {
        let message = ApplicationMessage(topic: topic, payload: [1], qos: qos, isRetained: isRetained)
        return step(
            .packetReceived(
                connection,
                .publish(
                    Publish(
                        message: message, qos: qos, packetIdentifier: identifier, isDuplicate: isDuplicate,
                        isRetained: isRetained))))
    }

    /// Answers the oldest command that waits; the log's entry is told first, as the contract has it.
    mutating func answer(_ outcome: BackboneOutcome) -> [Seen] {
        let pending = pendingCommands.removeFirst()
        var seen: [Seen] = []
        if outcome == .done, let entry = backbone.execute(pending.command).entry { seen += step(.logAppended(entry)) }
        return seen + step(.backboneAnswered(pending.token, outcome))
    }

    /// One that the test answers itself.
    mutating func takePending(at index: Int) -> Pending { pendingCommands.remove(at: index) }

    /// Takes up what survived a restart.
    mutating func restore(_ sessions: [RestoredSession], log: [LogEntry], groups: [SharedGroup] = []) {
        var effects = Effects()
        for session in sessions { core.restore(session, at: now, into: &effects) }
        for entry in log { _ = core.restore(entry, groups: groups, at: now, into: &effects) }
        core.restoreFinished(unclaimed: [], at: now, into: &effects)
        core.checkInvariants()
        for effect in effects.all { _ = seen(effect, effects) }
    }

    mutating func advance(by duration: Duration) -> [Seen] {
        now = now.advanced(by: duration)
        return step(.deadlineReached)
    }

    var counters: Counters { core.counters }
}

struct TestGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        return z ^ (z >> 31)
    }
}
