import MQTTCodec
import MQTTModel
import MQTTSession
import struct NIOCore.ByteBuffer

/// A client that keeps to the standard: the project's own `ClientSession` over a virtual link, and what a checker wants
/// to know, seen on the wire beside it.
final class SimulatedClient {
    let profile: ClientProfile
    unowned let simulation: Simulation
    var session: ClientSession
    var random: SplitMix64

    /// The link of the connection that the session knows of.
    var link: Int?
    private var receiver: PacketReceiver?
    /// Which of the broker's sessions of this identifier it is in; 0 before the first.
    var sessionOrdinal = 0
    /// Topics by the broker's aliases on this connection.
    private var aliases: [UInt16: String] = [:]
    /// Messages to be acknowledged, in order, on whatever connection there is then.
    private var receipts: [ReceiptToken] = []
    /// Of the publications in flight.
    private var numbers: [PacketIdentifier: Int] = [:]
    /// The subscription of each SUBSCRIBE without an answer, by its place in the session's record.
    var subscribing: [RequestToken: (session: Int, index: Int)] = [:]
    private var scheduledDeadline = Instant.distantFuture
    /// It asked for a new session and has not been told that it has one: it asks again.
    private(set) var awaitsCleanStart = false
    /// What the broker gave as reason when it closed.
    private var lastReason: ReasonCode?

    init(profile: ClientProfile, simulation: Simulation, random: SplitMix64) {
        self.profile = profile
        self.simulation = simulation
        self.random = random
        var limits = ClientLimits()
        limits.maximumInflightMessages = UInt16(profile.maximumInflight)
        limits.acknowledgesAutomatically = false
        limits.maximumOutboundTopicAliases = profile.topicAliasMaximum
        session = ClientSession(limits: limits)
    }

    var attendance: Attendance {
        Attendance(
            client: profile.index, session: sessionOrdinal,
            connection: link.map { simulation.links[$0].number } ?? -1)
    }

    /// Whether nothing of this client is under way.
    var isQuiet: Bool { session.isConnected && session.unfinishedCount == 0 && receipts.isEmpty && subscribing.isEmpty }

    // MARK: Connections

    func connect(cleanStart: Bool) {
        guard link == nil else { return }
        link = simulation.openLink(for: .honest(profile.index))
        receiver = PacketReceiver(role: .client, version: profile.version)
        aliases = [:]
        lastReason = nil
        if cleanStart { awaitsCleanStart = true }
        perform { session, now, actions in session.connect(makeConnect(cleanStart: cleanStart), at: now, into: &actions)
        }
    }

    func disconnect(_ packet: Disconnect) {
        perform { session, now, actions in session.disconnect(packet, at: now, into: &actions) }
    }

    /// The network fails; the broker learns of it later.
    func breakConnection(noticedAfter delay: Duration) {
        guard let link else { return }
        simulation.breakLink(link, noticedAfter: delay)
        endLink(.ownDoing)
        perform { session, _, actions in session.connectionLost(into: &actions) }
    }

    /// The broker has closed the link.
    func linkClosed(_ index: Int) {
        guard link == index else { return }
        endLink(.closedByBroker(lastReason))
        perform { session, _, actions in session.connectionLost(into: &actions) }
    }

    private func endLink(_ cause: DisconnectionCause) {
        simulation.observe(.disconnected(attendance, cause))
        link = nil
        receiver = nil
    }

    // MARK: Bytes

    func receive(_ bytes: [UInt8], from index: Int) {
        guard link == index, let receiver else { return }
        receiver.append(bytes)
        do {
            while link == index, let decoded = try receiver.next() {
                receive(WirePacket(packet: decoded.packet, byteCount: decoded.byteCount))
            }
        } catch {
            simulation.fail(.content, "\(profile.identifier) got what is no packet: \(error)")
            breakConnection(noticedAfter: .zero)
        }
    }

    private func receive(_ decoded: WirePacket) {
        for packet in simulation.planted(decoded, for: self) {
            observe(packet)
            let adapted = adapted(packet.packet)
            perform { session, now, actions in session.packetReceived(adapted, at: now, into: &actions) }
        }
    }

    /// Acknowledges a message in the application's place, which never sees it: for planted bugs.
    func acknowledgeUnseen(_ publish: Publish) {
        let identifier = publish.packetIdentifier
        switch publish.qos {
        case .atMostOnce: break
        case .atLeastOnce: sendUnseen(.acknowledgement(Acknowledgement(.pubAck, identifier)))
        case .exactlyOnce: sendUnseen(.acknowledgement(Acknowledgement(.pubRec, identifier)))
        }
    }

    private func sendUnseen(_ packet: Packet) {
        guard let link else { return }
        var buffer = ByteBuffer()
        PacketEncoder.append(packet, version: profile.version, to: &buffer)
        simulation.write(Array(buffer.readableBytesView), to: link)
    }

    /// The one hole of the protocol is kept from the client: the broker began a session and its CONNACK was lost, so
    /// that the next one says Session Present about a session that the client has never heard of.
    private func adapted(_ packet: Packet) -> Packet {
        guard case .connAck(var connAck) = packet, !connAck.reasonCode.isError else { return packet }
        let isSessionPresent = connAck.isSessionPresent
        awaitsCleanStart = false
        let ordinal = simulation.acceptedSessions[attendance.connection] ?? 0
        if ordinal != sessionOrdinal { connAck.isSessionPresent = false }
        sessionOrdinal = ordinal
        simulation.observe(.connected(attendance, isSessionPresent: isSessionPresent))
        if !connAck.isSessionPresent { numbers = [:] }
        return .connAck(connAck)
    }

    /// Tells the checkers what is on the wire.
    private func observe(_ decoded: WirePacket) {
        switch decoded.packet {
        case .publish(let publish):
            let received = received(publish, length: decoded.byteCount)
            simulation.observe(.publishReceived(attendance, received))
        case .acknowledgement(let packet) where packet.kind == .pubAck || packet.kind == .pubRec:
            guard let number = numbers[packet.packetIdentifier] else { return }
            let now = simulation.now
            simulation.history.update(message: number) { message in
                if packet.reasonCode.isError {
                    message.isRefused = true
                } else if message.acknowledgedAt == nil {
                    message.acknowledgedAt = now
                }
            }
        case .disconnect(let disconnect): lastReason = disconnect.reasonCode
        case .connAck(let connAck) where connAck.reasonCode.isError: lastReason = connAck.reasonCode
        default: break
        }
    }

    private func received(_ publish: Publish, length: Int) -> ReceivedPublish {
        var topic: String? = publish.message.topicString
        if publish.topicAlias != 0 {
            if publish.message.topicLength > 0 { aliases[publish.topicAlias] = topic }
            topic = aliases[publish.topicAlias]
        }
        return ReceivedPublish(
            publish: publish, topic: topic, number: simulation.history.number(ofPayload: publish.message.payload),
            packetLength: length)
    }

    // MARK: The session

    /// Lets the session do something, and does what it asks for.
    func perform(_ body: (inout ClientSession, Instant, inout [ClientAction]) throws -> Void) rethrows {
        var actions: [ClientAction] = []
        try body(&session, simulation.now, &actions)
        for action in actions { run(action) }
        if session.deadline < scheduledDeadline {
            scheduledDeadline = session.deadline
            simulation.schedule(.deadline(profile.index), at: session.deadline)
        }
    }

    func deadlineReached() {
        scheduledDeadline = .distantFuture
        perform { session, now, actions in session.deadlineReached(at: now, into: &actions) }
    }

    private func run(_ action: ClientAction) {
        switch action {
        case .send(let packet): send(packet)
        case .close:
            guard let link else { return }
            simulation.finish(link)
            endLink(lastReason.map { .closedByBroker($0) } ?? .ownDoing)
        case .report(let event): handle(event)
        }
    }

    private func send(_ packet: Packet) {
        guard let link else { return }
        switch packet {
        case .publish(let publish): noteTransmission(of: publish)
        case .acknowledgement(let packet) where packet.kind != .pubRel:
            simulation.observe(
                .acknowledgementSent(
                    attendance, packet.kind, packet.packetIdentifier, isError: packet.reasonCode.isError))
        default: break
        }
        var buffer = ByteBuffer()
        PacketEncoder.append(packet, version: profile.version, to: &buffer)
        simulation.write(Array(buffer.readableBytesView), to: link)
    }

    private func noteTransmission(of publish: Publish) {
        guard let number = simulation.number(of: publish.message) else { return }
        if publish.qos != .atMostOnce { numbers[publish.packetIdentifier] = number }
        let now = simulation.now
        simulation.history.update(message: number) { message in
            message.transmissions += 1
            message.firstSentAt = message.firstSentAt ?? now
        }
    }

    private func handle(_ event: ClientEvent) {
        switch event {
        case .messageReceived(let publish, let receipt):
            simulation.observe(.delivered(attendance, received(publish, length: 0)))
            if let receipt {
                receipts.append(receipt)
                scheduleAcknowledgement()
            }
        case .subscribed(let token, let subAck): subscribed(token, subAck.reasonCodes.first ?? .unspecifiedError)
        case .requestUnanswered(let token): subscribing[token] = nil
        case .connectionEnded(.violation(let violation)):
            simulation.fail(.content, "\(profile.identifier) saw the broker break the standard: \(violation)")
        case .connected, .connectionRefused, .connectionEnded, .sessionDiscarded, .published, .unsubscribed,
            .authenticationReceived:
            break
        }
    }

    // MARK: Acknowledging

    private func scheduleAcknowledgement() {
        let isPrompt = profile.role != .ordinary || simulation.hasHealed
        let longest = isPrompt ? 0 : simulation.swarm.maximumAcknowledgementDelayMilliseconds
        simulation.schedule(
            .acknowledge(profile.index), after: .microseconds(random.integer(in: 0...longest * 1000)))
    }

    /// Acknowledges the oldest message that waits for it.
    func acknowledgeNext() {
        guard !receipts.isEmpty else { return }
        let receipt = receipts.removeFirst()
        perform { session, now, actions in session.acknowledge(receipt, at: now, into: &actions) }
    }
}
