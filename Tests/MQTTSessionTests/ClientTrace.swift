import MQTTModel
import MQTTSession

/// A client session driven by hand: each call is one input, and returns its actions as short texts.
final class ClientTrace {
    var session: ClientSession
    var now = Instant.zero
    /// What `messageReceived` handed out and `take` has not used.
    var receipts: [ReceiptToken] = []

    init(_ change: (inout ClientLimits) -> Void = { _ in }) {
        var limits = ClientLimits()
        change(&limits)
        session = ClientSession(limits: limits)
    }

    /// A session whose first connection was just accepted.
    static func connected(
        version: ProtocolVersion = .v5_0, keepAlive: UInt16 = 0, client: Properties = [], server: Properties = [],
        _ change: (inout ClientLimits) -> Void = { _ in }
    ) -> ClientTrace {
        let trace = ClientTrace(change)
        _ = trace.connect(version: version, cleanStart: false, keepAlive: keepAlive, properties: client)
        _ = trace.connAck(properties: server)
        return trace
    }

    var deadline: Instant { session.deadline }
    var hasRoom: Bool { session.hasRoom }
    var unfinishedCount: Int { session.unfinishedCount }
    var unacknowledgedCount: Int { session.unacknowledgedCount }

    private func run(_ body: (inout ClientSession, inout [ClientAction]) -> Void) -> [String] {
        var actions: [ClientAction] = []
        body(&session, &actions)
        for case .report(.messageReceived(_, let receipt?)) in actions { receipts.append(receipt) }
        return actions.map(text)
    }

    func connect(
        version: ProtocolVersion = .v5_0, clientIdentifier: String = "c", cleanStart: Bool = false,
        keepAlive: UInt16 = 0, properties: Properties = []
    ) -> [String] {
        let packet = Connect(
            version: version, clientIdentifier: clientIdentifier, cleanStart: cleanStart, keepAlive: keepAlive,
            properties: properties)
        return run { [now] in $0.connect(packet, at: now, into: &$1) }
    }

    func connAck(
        isSessionPresent: Bool = false, _ reasonCode: ReasonCode = .success, properties: Properties = []
    ) -> [String] {
        receive(
            .connAck(ConnAck(isSessionPresent: isSessionPresent, reasonCode: reasonCode, properties: properties)))
    }

    /// The connection is lost, and the next one is accepted.
    func reconnect(isSessionPresent: Bool, server: Properties = []) -> [String] {
        _ = run { $0.connectionLost(into: &$1) }
        _ = connect(version: session.version)
        return connAck(isSessionPresent: isSessionPresent, properties: server)
    }

    func receive(_ packet: Packet) -> [String] {
        run { [now] in $0.packetReceived(packet, at: now, into: &$1) }
    }

    func receive(
        _ kind: Acknowledgement.Kind, _ packetIdentifier: PacketIdentifier, _ reasonCode: ReasonCode = .success
    ) -> [String] {
        receive(.acknowledgement(Acknowledgement(kind, packetIdentifier, reasonCode: reasonCode)))
    }

    func receivePublish(
        _ topic: String, qos: QoS = .atMostOnce, _ packetIdentifier: PacketIdentifier = 0, isDuplicate: Bool = false,
        alias: UInt16 = 0
    ) -> [String] {
        let message = ApplicationMessage(topic: topic, payload: [], qos: qos)
        return receive(
            .publish(
                Publish(
                    message: message, qos: qos, packetIdentifier: packetIdentifier, isDuplicate: isDuplicate,
                    topicAlias: alias)))
    }

    func publish(
        _ topic: String, qos: QoS = .atMostOnce, payload: Int = 0, isRetained: Bool = false
    ) -> [String] {
        run { [now] session, actions in
            let message = ApplicationMessage(
                topic: topic, payload: Array(repeating: 0, count: payload), qos: qos, isRetained: isRetained)
            do throws(PublishRefusal) {
                _ = try session.publish(message, at: now, into: &actions)
            } catch {
                actions.append(.report(.published(.none, .refused(error))))
            }
        }
    }

    func subscribe(_ filters: String...) -> [String] {
        run { [now] session, actions in
            let entries = filters.map { Subscribe.Entry(filter: $0, options: SubscriptionOptions()) }
            guard (try? session.subscribe(entries, at: now, into: &actions)) != nil else {
                return actions.append(.close)
            }
        }
    }

    func unsubscribe(_ filters: String...) -> [String] {
        run { [now] in _ = try? $0.unsubscribe(filters, at: now, into: &$1) }
    }

    /// The application takes the oldest message it was given.
    func take() -> [String] {
        let receipt = receipts.removeFirst()
        return run { [now] in $0.acknowledge(receipt, at: now, into: &$1) }
    }

    func lose() -> [String] { run { $0.connectionLost(into: &$1) } }

    func disconnect(_ reasonCode: ReasonCode = .normalDisconnection) -> [String] {
        run { [now] in $0.disconnect(Disconnect(reasonCode: reasonCode), at: now, into: &$1) }
    }

    /// Time passes, then the deadline is reported.
    func pass(_ duration: Duration) -> [String] {
        now = now.advanced(by: duration)
        return run { [now] in $0.deadlineReached(at: now, into: &$1) }
    }
}

extension PublishToken {
    /// Where the trace has no token: a refusal.
    static var none: PublishToken {
        var session = ClientSession()
        var actions: [ClientAction] = []
        let message = ApplicationMessage(topic: "t", payload: [], qos: .atLeastOnce)
        guard let token = try? session.publish(message, at: .zero, into: &actions) else { fatalError("has room") }
        return token
    }
}

private func text(_ action: ClientAction) -> String {
    switch action {
    case .close: "close"
    case .send(let packet): text(packet)
    case .report(let event): "· " + text(event)
    }
}

private func text(_ packet: Packet) -> String {
    switch packet {
    case .connect(let connect):
        "CONNECT \(connect.clientIdentifier)\(connect.cleanStart ? " clean" : "")"
    case .connAck: "CONNACK"
    case .publish(let publish): text(publish)
    case .acknowledgement(let packet):
        "\(packet.kind)".uppercased() + " #\(packet.packetIdentifier)"
            + (packet.reasonCode == .success ? "" : " \(packet.reasonCode)")
    case .subscribe(let packet):
        "SUBSCRIBE #\(packet.packetIdentifier) " + packet.entries.map(\.filter).joined(separator: ",")
    case .unsubscribe(let packet):
        "UNSUBSCRIBE #\(packet.packetIdentifier) " + packet.filters.joined(separator: ",")
    case .subAck: "SUBACK"
    case .unsubAck: "UNSUBACK"
    case .pingReq: "PINGREQ"
    case .pingResp: "PINGRESP"
    case .disconnect(let packet): "DISCONNECT \(packet.reasonCode)"
    case .auth(let packet): "AUTH \(packet.reasonCode)"
    }
}

private func text(_ publish: Publish) -> String {
    var text = "PUBLISH \(publish.message.topicString)"
    if publish.topicAlias != 0 { text += " @\(publish.topicAlias)" }
    if publish.qos != .atMostOnce { text += " q\(publish.qos.rawValue) #\(publish.packetIdentifier)" }
    return text + (publish.isDuplicate ? " dup" : "") + (publish.isRetained ? " retain" : "")
}

private func text(_ event: ClientEvent) -> String {
    switch event {
    case .connected(let connAck, _): connAck.isSessionPresent ? "connected, session present" : "connected"
    case .connectionRefused(let connAck): "refused: \(connAck.reasonCode)"
    case .connectionEnded(.violation(let violation)): "violation \(violation.clause): \(violation.reasonCode)"
    case .connectionEnded(let end): "ended: \(end)"
    case .sessionDiscarded: "session discarded"
    case .messageReceived(let publish, _): "message \(publish.message.topicString)"
    case .published(_, .acknowledged(let reasonCode, _)): "published: \(reasonCode)"
    case .published(_, .refused(let refusal)): "refused: \(refusal)"
    case .published(_, .sessionLost): "session lost"
    case .subscribed(_, let packet): "subscribed: " + packet.reasonCodes.map(\.description).joined(separator: ",")
    case .unsubscribed: "unsubscribed"
    case .requestUnanswered: "unanswered"
    case .authenticationReceived: "authentication"
    }
}
