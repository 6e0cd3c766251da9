import BrokerTransport
import BrokerConfiguration
@testable import AdminAPI
import BackboneSQLite
import BrokerCore
import BrokerRuntime
import CoreMetrics
import Foundation
import MQTTClient
import Testing
import TransportModel

@Suite struct MetricsTests {
    @Test func messagesAreCountedByQoSInAndOut() async throws {
        try await AdministeredBroker.with { broker in
            let client = broker.client("one")
            try await client.connect()
            try await client.subscribe(to: "t", qos: .exactlyOnce)
            for qos in [QoS.atMostOnce, .atLeastOnce, .atLeastOnce, .exactlyOnce] {
                try await client.publish(topic: "t", text: "12345", qos: qos)
            }
            var messages = client.messages.makeAsyncIterator()
            for _ in 1...4 { _ = try await messages.next() }
            let metrics = try await broker.metrics()
            for (qos, count) in [(0, 1.0), (1, 2.0), (2, 1.0)] {
                for direction in ["received", "sent"] {
                    #expect(metrics["dunlin_messages_\(direction)_total{qos=\"\(qos)\"}"] == count)
                    #expect(metrics["dunlin_payload_bytes_\(direction)_total{qos=\"\(qos)\"}"] == count * 5)
                }
            }
            #expect(metrics[#"dunlin_clients{version="5.0"}"#] == 1)
            #expect(metrics["dunlin_subscriptions"] == 1)
            #expect(metrics["dunlin_sessions{state=\"connected\"}"] == 1)
            #expect(metrics["dunlin_message_latency_seconds_count"] ?? 0 >= 1)
            #expect(metrics["dunlin_ready"] == 1)
            await client.disconnect()
        }
    }

    @Test func clientsThatGoAreNoLongerCounted() async throws {
        try await AdministeredBroker.with { broker in
            let client = broker.client("gone", expiry: .seconds(60))
            try await client.connect()
            await client.disconnect()
            // The broker learns of the end on its own time.
            var metrics = try await broker.metrics()
            while metrics["dunlin_connections"] != 0 { metrics = try await broker.metrics() }
            #expect(metrics[#"dunlin_clients{version="5.0"}"#] == 0)
            #expect(metrics[#"dunlin_sessions{state="away"}"#] == 1)
            #expect(metrics["dunlin_lasting_sessions"] == 1)
        }
    }

    @Test func whatWaitsInSessionsIsShown() async throws {
        try await AdministeredBroker.with { broker in
            let away = broker.client("away", expiry: .seconds(60))
            try await away.connect()
            try await away.subscribe(to: "t", qos: .atLeastOnce)
            await away.disconnect()
            let publisher = broker.client("publisher")
            try await publisher.connect()
            for _ in 1...3 { try await publisher.publish(topic: "t", text: "x", qos: .atLeastOnce) }
            let metrics = try await broker.metrics()
            #expect(metrics["dunlin_queued_messages"] == 3)
            await publisher.disconnect()
        }
    }

    /// A counter without a line in the table would be seen by nobody.
    @Test func everyCounterHasAMetric() {
        let counters = Mirror(reflecting: Counters()).children.compactMap(\.label)
        #expect(Set(Counters.names.map(\.property)) == Set(counters))
        #expect(Counters.names.count == counters.count)
        #expect(RuntimeCounters.names.count == Mirror(reflecting: RuntimeCounters()).children.count)
        let statistics = Mirror(reflecting: StoreStatistics()).children.compactMap(\.label).filter { $0 != "lastError" }
        #expect(Set(StoreStatistics.names.map(\.property)) == Set(statistics))
    }

    @Test func everyMetricOfACounterReadsItsOwnCounter() throws {
        for (index, name) in Counters.names.enumerated() {
            #expect(Set(Counters.names.map(\.metric)).count == Counters.names.count)
            let value = Mirror(reflecting: Counters()).children.first { $0.label == name.property }?.value
            #expect(value is UInt64, "\(name.property)")
            #expect("\(name.path)".hasSuffix("." + name.property), "\(index)")
        }
    }

    @Test func theTextFormatIsPrometheuss() {
        var family = MetricFamily("a_total", .counter, "Says \\ and\nmore.")
        family.add(1.5, ("label", "quote \" back \\ line \n"))
        family.add(.infinity)
        #expect(
            PrometheusText.encode([family, MetricFamily("empty", .gauge, "None.")]) == #"""
                # HELP a_total Says \\ and\nmore.
                # TYPE a_total counter
                a_total{label="quote \" back \\ line \n"} 1.5
                a_total +Inf

                """#)
    }

    @Test func aListenerWithLimitsHasItsOwn() async throws {
        try await AdministeredBroker.with(settings: .changed { $0.listenerDefaults.maximumConnections = 9 }) { broker in
            let client = broker.client("one")
            try await client.connect()
            let metrics = try await broker.metrics()
            // As it was configured.
            let listener = #"{listener="127.0.0.1:0""#
            #expect(metrics["dunlin_listener_connections\(listener)}"] == 1)
            #expect(metrics["dunlin_listener_accepted_total\(listener)}"] == 1)
            #expect(metrics[#"dunlin_listener_refused_total\#(listener),bound="connection-rate"}"#] == 0)
            await client.disconnect()
        }
    }

    @Test func namesGoTogether() async throws {
        try await AdministeredBroker.with { broker in
            let text = String(decoding: try await broker.admin.send(.get, "/metrics").body, as: UTF8.self)
            let types = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }
            #expect(Set(types).count == types.count, "a family is told once")
        }
    }

    @Test func whatLibrariesCountIsShown() async throws {
        let factory = PrometheusMetricsFactory()
        let counter = factory.makeCounter(label: "http.requests", dimensions: [("path", "/a")])
        counter.increment(by: 2)
        factory.makeCounter(label: "http.requests", dimensions: [("path", "/a")]).increment(by: 1)
        factory.makeTimer(label: "http.duration", dimensions: []).recordNanoseconds(1_500_000_000)
        #expect(
            PrometheusText.encode(factory.families).split(separator: "\n").filter { !$0.hasPrefix("#") } == [
                "http_duration_seconds_sum 1.5", "http_duration_seconds_count 1",
                #"http_requests{path="/a"} 3"#,
            ])
    }

    @Test func aHistogramPutsEachValueInOneBucket() {
        var histogram = LatencyHistogram()
        for nanoseconds in [0, 25_000, 25_001, 6_000_000_000] as [UInt64] { histogram.add(nanoseconds: nanoseconds) }
        #expect(histogram.counts[0] == 2)
        #expect(histogram.counts[1] == 1)
        #expect(histogram.counts[LatencyHistogram.bounds.count] == 1)
    }
}
