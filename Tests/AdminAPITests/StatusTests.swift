import BrokerConfiguration
import AdminAPI
import BrokerCore
import MQTTClient
import MQTTModel
import Testing

@testable import BrokerRuntime
@testable import BrokerTransport

/// The topics under `$SYS/broker`.
@Suite struct StatusTests {
    @Test func onlyWhatHasChangedIsSaidAgain() {
        var report = StatusReport()
        var figures = NodeFigures()
        figures.sessions = 3
        figures.clients[.v5_0] = 2
        let first = Dictionary(uniqueKeysWithValues: say(&report, figures, 0))
        #expect(first["$SYS/broker/clients/total"] == "3")
        #expect(first["$SYS/broker/clients/connected"] == "2")
        #expect(first["$SYS/broker/clients/disconnected"] == "1")
        #expect(first["$SYS/broker/clients/maximum"] == "2")
        let unchanged = say(&report, figures, 10)
        #expect(unchanged.isEmpty)
        figures.clients[.v5_0] = 1
        let second = Dictionary(uniqueKeysWithValues: say(&report, figures, 10))
        #expect(second["$SYS/broker/clients/maximum"] == nil)
        #expect(second["$SYS/broker/clients/disconnected"] == "2")
    }

    /// 600 messages in a minute, all in its first ten seconds, as mosquitto's formula has it.
    @Test func loadsAreExponentialAveragesOfEventsAMinute() {
        var report = StatusReport()
        var figures = NodeFigures()
        _ = say(&report, figures, 0)
        for _ in 1...600 { figures.received.add(.atMostOnce, payloadBytes: 1) }
        let loads = Dictionary(uniqueKeysWithValues: say(&report, figures, 10))
        // 3600 a minute, weighted with 1 - exp(-10 s / period).
        #expect(loads["$SYS/broker/load/publish/received/1min"] == "552.67")
        #expect(loads["$SYS/broker/load/publish/received/5min"] == "118.02")
        #expect(loads["$SYS/broker/load/publish/received/15min"] == "39.78")
        for _ in 1...60 { _ = say(&report, figures, 10) }
        let faded = Dictionary(uniqueKeysWithValues: say(&report, figures, 600))
        #expect(faded["$SYS/broker/load/publish/received/1min"] == "0.00")
    }

    @Test func dashboardsFindTheirTopics() async throws {
        try await AdministeredBroker.with(settings: .changed { $0.options.statusInterval = .milliseconds(50) }) {
            broker in
            let client = broker.client("dashboard")
            try await client.connect()
            let wanted: Set<String> = [
                "$SYS/broker/version", "$SYS/broker/uptime", "$SYS/broker/clients/total",
                "$SYS/broker/clients/connected", "$SYS/broker/messages/received", "$SYS/broker/bytes/sent",
                "$SYS/broker/subscriptions/count", "$SYS/broker/retained messages/count",
                "$SYS/broker/load/messages/received/1min", "$SYS/broker/store/messages/count",
            ]
            try await client.subscribe(to: "$SYS/#")
            var seen: Set<String> = []
            for try await message in client.messages {
                #expect(message.topic.hasPrefix("$SYS/broker/"))
                seen.insert(message.topic)
                // The figures come with the first turn after the client did.
                if message.topic == "$SYS/broker/clients/connected", message.text != "1" { seen.remove(message.topic) }
                if seen.isSuperset(of: wanted) { break }
            }
            await client.disconnect()
        }
    }

    private func say(
        _ report: inout StatusReport, _ figures: NodeFigures, _ seconds: Double
    ) -> [(String, String)] {
        report.update(figures, keptMessages: 0, keptBytes: 0, after: seconds).map { ($0.topic, $0.value) }
    }
}
