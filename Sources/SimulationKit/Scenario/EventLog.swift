import BrokerCore
package import MQTTModel

/// One line for each event: what a person reads who has to understand a failed run.
///
///     seconds    who            what
///        1.0234  client 2       gets 17 QoS 1 DUP of t/0
package final class EventLog {
    package private(set) var lines: [String] = []

    /// Whether each piece of bytes that arrives has a line too; with small pieces they are most of a run.
    private let showsBytes: Bool

    package init(showsBytes: Bool = false) { self.showsBytes = showsBytes }

    package func note(_ what: String, at now: Instant) { note("", what, at: now) }

    private func note(_ who: String, _ what: String, at now: Instant) {
        let time = padded("\(now.nanoseconds / 1_000_000_000).\(digits(now.nanoseconds % 1_000_000_000 / 1000))", 12)
        lines.append("\(time)  \(paddedEnd(who, 14)) \(what)")
    }

    private func digits(_ microseconds: UInt64) -> String {
        let text = "\(microseconds)"
        return String(repeating: "0", count: 6 - text.count) + text
    }

    private func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private func paddedEnd(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension EventLog {
    func note(shard: Int, connection: Int, received packet: Packet, at now: Instant) {
        note("shard \(shard)", "receives on connection \(connection): \(EventLog.words(for: packet))", at: now)
    }

    func note(_ kind: Simulation.TraceKind, link: Int, count: Int, at now: Instant) {
        switch kind {
        case .upstream where showsBytes: note("link \(link)", "\(count) bytes arrive at the broker", at: now)
        case .downstream where showsBytes: note("link \(link)", "\(count) bytes arrive at the client", at: now)
        case .upstream, .downstream: break
        case .ended: note("link \(link)", "the broker learns that the client is gone", at: now)
        case .closed: note("link \(link)", "the client learns that the broker has closed", at: now)
        }
    }

    func note(_ occurrence: Occurrence, at now: Instant) {
        switch occurrence {
        case .connected(let who, let isPresent):
            note("client \(who.client)", "connected on \(who.connection), session present \(isPresent)", at: now)
        case .disconnected(let who, let cause):
            note("client \(who.client)", "lost connection \(who.connection): \(cause)", at: now)
        case .publishReceived(let who, let received):
            note("client \(who.client)", "gets \(EventLog.words(for: .publish(received.publish)))", at: now)
        case .delivered(let who, let received):
            note("client \(who.client)", "takes message \(received.number.map(String.init) ?? "?")", at: now)
        case .acknowledgementSent(let who, let kind, let identifier, _):
            note("client \(who.client)", "sends \(kind) \(identifier)", at: now)
        case .subscribed(let who, let record):
            let qos = record.grantedQoS.map { "\($0.rawValue)" } ?? "?"
            note("client \(who.client)", "has subscribed to \(record.filter) with QoS \(qos)", at: now)
        case .connAckSent(let connection, let isPresent):
            note("broker", "sends CONNACK on \(connection), present \(isPresent)", at: now)
        case .accepted(let connection, let connect, let isPresent, let will):
            note(
                "broker",
                "accepts \(connect.clientIdentifier) on \(connection), clean \(connect.cleanStart), present \(isPresent)"
                    + (will.map { ", will \($0) after \(connect.will?.delayInterval ?? 0) s" } ?? ""), at: now)
        case .disconnectArrived(let connection, let packet):
            note("broker", "DISCONNECT \(packet.reasonCode) on \(connection)", at: now)
        case .ended(let connection): note("broker", "connection \(connection) has ended", at: now)
        case .reported(let event): note("broker", "reports \(event)", at: now)
        case .crashed: note("broker", "CRASHES", at: now)
        case .declaredDead(let node): note("log", "node \(node) is dead", at: now)
        case .restarted: note("broker", "starts again", at: now)
        }
    }

    static func words(for packet: Packet) -> String {
        switch packet {
        case .connect(let packet): return "CONNECT \(packet.clientIdentifier), clean \(packet.cleanStart)"
        case .publish(let packet):
            let payload = String(decoding: packet.message.payload.prefix(8), as: UTF8.self)
            return "PUBLISH \(packet.message.topicString) QoS \(packet.qos.rawValue) id \(packet.packetIdentifier)"
                + (packet.isDuplicate ? " DUP" : "") + (packet.isRetained ? " RETAIN" : "") + " \"\(payload)\""
        case .acknowledgement(let packet):
            return "\(packet.kind) \(packet.packetIdentifier) \(packet.reasonCode)"
        case .subscribe(let packet):
            return "SUBSCRIBE " + packet.entries.map { "\($0.filter) QoS \($0.options.maximumQoS.rawValue)" }.joined()
        case .unsubscribe(let packet): return "UNSUBSCRIBE " + packet.filters.joined(separator: " ")
        case .disconnect(let packet): return "DISCONNECT \(packet.reasonCode)"
        case .connAck(let packet): return "CONNACK \(packet.reasonCode), session present \(packet.isSessionPresent)"
        case .subAck: return "SUBACK"
        case .unsubAck: return "UNSUBACK"
        case .pingReq: return "PINGREQ"
        case .pingResp: return "PINGRESP"
        case .auth: return "AUTH"
        }
    }
}
