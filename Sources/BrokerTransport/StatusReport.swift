import BrokerCore
import BrokerRuntime
import Glibc

/// What the broker says under `$SYS/broker`, with the names that mosquitto uses, so that dashboards made for it work. Version
/// and uptime are the core's.
struct StatusReport {
    /// What rates are made of.
    private struct Totals {
        var packetsReceived: UInt64 = 0
        var packetsSent: UInt64 = 0
        var publishReceived: UInt64 = 0
        var publishSent: UInt64 = 0
        var publishDropped: UInt64 = 0
        var bytesReceived: UInt64 = 0
        var bytesSent: UInt64 = 0
        var connections: UInt64 = 0
    }

    /// Events a minute, averaged over about one, five and fifteen minutes: each falls off exponentially.
    private struct Load {
        static let minutes = [1.0, 5.0, 15.0]
        var averages = [0.0, 0.0, 0.0]

        mutating func add(_ count: UInt64, in seconds: Double) {
            let rate = Double(count) * 60 / seconds
            for index in averages.indices {
                let weight = exp(-seconds / 60 / Self.minutes[index])
                averages[index] = rate + weight * (averages[index] - rate)
            }
        }
    }

    private static let rates: [(name: String, path: any KeyPath<Totals, UInt64> & Sendable)] = [
        ("messages/received", \.packetsReceived), ("messages/sent", \.packetsSent),
        ("publish/received", \.publishReceived), ("publish/sent", \.publishSent),
        ("publish/dropped", \.publishDropped), ("bytes/received", \.bytesReceived), ("bytes/sent", \.bytesSent),
        ("connections", \.connections), ("sockets", \.connections),
    ]

    private var totals = Totals()
    private var loads = Array(repeating: Load(), count: StatusReport.rates.count)
    private var maximumClients = 0
    private var said: [String: String] = [:]

    /// Takes the figures, so many seconds after the last ones; 0 for the first.
    ///
    /// - Parameters:
    ///   - keptMessages: messages that the engine keeps for sessions.
    ///   - keptBytes: their bytes.
    /// - Returns: the topics whose value has changed.
    mutating func update(
        _ figures: NodeFigures, keptMessages: Int, keptBytes: Int, after seconds: Double
    ) -> [(topic: String, value: String)] {
        let new = Self.totals(figures)
        maximumClients = max(maximumClients, figures.clients.total)
        if seconds > 0 {
            for (index, rate) in Self.rates.enumerated() {
                let count = new[keyPath: rate.path] - min(totals[keyPath: rate.path], new[keyPath: rate.path])
                loads[index].add(count, in: seconds)
            }
        }
        totals = new
        let all = clients(figures) + messages(figures, keptMessages, keptBytes) + loadTopics()
        let changed = all.filter { said[$0.topic] != $0.value }
        for (topic, value) in changed { said[topic] = value }
        return changed.map { ("$SYS/broker/" + $0.topic, $0.value) }
    }

    private static func totals(_ figures: NodeFigures) -> Totals {
        var totals = Totals()
        totals.packetsReceived = figures.runtime.packetsReceived
        totals.packetsSent = figures.runtime.packetsSent
        totals.publishReceived = figures.received.messages
        totals.publishSent = figures.sent.messages
        totals.publishDropped = figures.droppedMessages
        totals.bytesReceived = figures.runtime.bytesReceived
        totals.bytesSent = figures.runtime.bytesSent
        totals.connections = figures.runtime.connectionsOpened
        return totals
    }

    private func clients(_ figures: NodeFigures) -> [(topic: String, value: String)] {
        let connected = figures.clients.total
        let away = max(0, figures.sessions - connected)
        return [
            ("clients/total", "\(figures.sessions)"), ("clients/connected", "\(connected)"),
            ("clients/disconnected", "\(away)"), ("clients/maximum", "\(maximumClients)"),
            ("clients/expired", "\(figures.count(of: \.sessionsExpired))"),
            // The names before mosquitto 1.5, which dashboards still ask for.
            ("clients/active", "\(connected)"), ("clients/inactive", "\(away)"),
            ("subscriptions/count", "\(figures.subscriptions)"),
        ]
    }

    private func messages(
        _ figures: NodeFigures, _ keptMessages: Int, _ keptBytes: Int
    ) -> [(topic: String, value: String)] {
        let stored = figures.retainedMessages + keptMessages
        return [
            ("messages/received", "\(totals.packetsReceived)"), ("messages/sent", "\(totals.packetsSent)"),
            ("messages/stored", "\(stored)"), ("store/messages/count", "\(stored)"),
            ("store/messages/bytes", "\(figures.retainedBytes + keptBytes)"),
            ("retained messages/count", "\(figures.retainedMessages)"),
            ("publish/messages/received", "\(totals.publishReceived)"),
            ("publish/messages/sent", "\(totals.publishSent)"),
            ("publish/messages/dropped", "\(totals.publishDropped)"),
            ("publish/bytes/received", "\(figures.received.payloadBytes)"),
            ("publish/bytes/sent", "\(figures.sent.payloadBytes)"),
            ("bytes/received", "\(totals.bytesReceived)"), ("bytes/sent", "\(totals.bytesSent)"),
        ]
    }

    private func loadTopics() -> [(topic: String, value: String)] {
        zip(Self.rates, loads).flatMap { rate, load in
            zip(Load.minutes, load.averages).map { minutes, average in
                ("load/\(rate.name)/\(Int(minutes))min", Self.hundredths(average))
            }
        }
    }

    /// With two decimals.
    private static func hundredths(_ value: Double) -> String {
        let hundredths = UInt64(max(0, (value * 100).rounded()))
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
    }
}
