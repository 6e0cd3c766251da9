import Backbone
import BackboneSQLite
import MQTTModel

/// What a store holds, or should hold, as text: easy to compare and to read.
struct Snapshot: Equatable {
    var sessions: [String] = []
    var retained: [String] = []
    var log: [LogSequence: String] = [:]

    /// In the order in which the store gave it.
    private(set) var sequences: [LogSequence] = []

    init() {}

    init(restoring backbone: SQLiteBackbone) throws {
        var found = Snapshot()
        try backbone.restore(
            session: { found.sessions.append(Snapshot.text($0)) },
            retained: { message, _ in found.retained.append(Snapshot.text(message)) },
            entry: { entry, groups in
                found.sequences.append(entry.sequence)
                found.log[entry.sequence] = Snapshot.text(entry.message, groups: groups)
            })
        found.sessions.sort()
        found.retained.sort()
        self = found
    }

    static func == (left: Snapshot, right: Snapshot) -> Bool {
        left.sessions == right.sessions && left.retained == right.retained && left.log == right.log
    }

    static func text(_ message: ApplicationMessage) -> String {
        let payload = message.payload.map { "\($0)" }.joined(separator: ",")
        let expiry = message.expiryInterval.map { " expires in \($0)" } ?? ""
        return "\(bytes(message.topicString)) [\(payload)] +\(message.propertiesLength) QoS \(message.qos.rawValue)"
            + (message.isRetained ? " retained" : "") + expiry + " by \(message.publisherHash)"
    }

    static func text(_ message: ApplicationMessage, groups: [SharedGroup]) -> String {
        text(message) + groups.map { " \(bytes($0.name))/\(bytes($0.pattern))" }.sorted().joined()
    }

    static func text(_ session: RestoredSession) -> String {
        var parts = [bytes(session.clientIdentifier), "expiry \(session.expiryInterval)"]
        parts.append("in \(session.expiresIn.map(String.init) ?? "ever")")
        if let will = session.will {
            let due = session.willDueIn.map(String.init) ?? "stands"
            parts.append("will \(text(will.message)) delay \(will.delayInterval) due \(due)")
        }
        for subscription in session.subscriptions {
            parts.append(
                "\(bytes(subscription.filter)) options \(subscription.options.rawValue) "
                    + "id \(subscription.identifier) since \(subscription.since)"
                    + (subscription.until.map { " until \($0)" } ?? ""))
        }
        parts.append("received \(session.received)")
        parts += session.sent.map {
            let way = $0.exchange.group.map { "by \(bytes($0.name))/\(bytes($0.pattern))" } ?? "by itself"
            return "sent \($0.exchange.sequence) \(way) as \($0.packetIdentifier) phase \($0.phase.rawValue) "
                + ($0.topic.map { bytes($0.string) } ?? "")
        }
        parts += session.wishes.map {
            "wish \($0.wish.number) \(bytes($0.wish.pattern)) options \($0.wish.options.rawValue) since \($0.since)"
        }
        parts.append("cursor \(session.cursor)")
        return parts.joined(separator: "; ")
    }

    /// Strings that are canonically equivalent are not the same here.
    private static func bytes(_ text: String) -> String {
        text.utf8.allSatisfy { $0 < 0x80 } ? text : text.utf8.map { String($0, radix: 16) }.joined()
    }
}
