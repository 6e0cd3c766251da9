import Backbone
import BrokerCore
import BrokerRuntime
package import BrokerTransport
import MQTTModel

extension NodeFigures {
    /// The figures as metrics.
    package var families: [MetricFamily] {
        connectionFamilies + messageFamilies + counterFamilies + runtimeFamilies + stateFamilies + [latencyFamily]
    }

    private var connectionFamilies: [MetricFamily] {
        var byVersion = MetricFamily("dunlin_clients", .gauge, "Connected clients, by the version of MQTT they speak.")
        for version in ProtocolVersion.allCases {
            byVersion.add(Double(clients[version]), ("version", version.number))
        }
        return [
            MetricFamily(
                "dunlin_connections", .gauge, "Network connections, those of clients and those before their CONNECT.",
                connections),
            byVersion,
        ]
    }

    private var messageFamilies: [MetricFamily] {
        var families: [MetricFamily] = []
        for (direction, counts, words) in [("received", received, "from clients"), ("sent", sent, "to clients")] {
            var messages = MetricFamily(
                "dunlin_messages_\(direction)_total", .counter, "PUBLISH packets \(words), by QoS.")
            var bytes = MetricFamily(
                "dunlin_payload_bytes_\(direction)_total", .counter,
                "Payload bytes of PUBLISH packets \(words), by QoS.")
            for qos in QoS.allCases {
                messages.add(Double(counts.messages(of: qos)), ("qos", "\(qos.rawValue)"))
                bytes.add(Double(counts.payloadBytes(of: qos)), ("qos", "\(qos.rawValue)"))
            }
            families += [messages, bytes]
        }
        return families
    }

    private var counterFamilies: [MetricFamily] {
        var families: [MetricFamily] = []
        for (index, name) in Counters.names.enumerated() {
            if families.last?.name != "dunlin_" + name.name {
                families.append(MetricFamily("dunlin_" + name.name, .counter, name.meaning))
            }
            let labels = name.label.map { [$0] } ?? []
            families[families.count - 1].add(Double(counters[index]), labels: labels)
        }
        return families
    }

    private var runtimeFamilies: [MetricFamily] {
        RuntimeCounters.names.map {
            MetricFamily("dunlin_\($0.name)", .counter, $0.meaning, runtime[keyPath: $0.path])
        }
    }

    private var stateFamilies: [MetricFamily] {
        var bySession = MetricFamily("dunlin_sessions", .gauge, "Sessions, with and without a connection.")
        bySession.add(Double(clients.total), ("state", "connected"))
        bySession.add(Double(max(0, sessions - clients.total)), ("state", "away"))
        return [
            bySession,
            MetricFamily("dunlin_lasting_sessions", .gauge, "Sessions that outlive their connection.", lastingSessions),
            MetricFamily("dunlin_subscriptions", .gauge, "Subscriptions, shared ones included.", subscriptions),
            MetricFamily("dunlin_retained_messages", .gauge, "Retained messages.", retainedMessages),
            MetricFamily(
                "dunlin_retained_bytes", .gauge, "Topics, properties and payloads of the retained messages.",
                retainedBytes),
            MetricFamily("dunlin_queued_messages", .gauge, "Messages that wait in sessions.", backlog.queuedMessages),
            MetricFamily(
                "dunlin_queued_bytes", .gauge, "Bytes of the messages that wait in sessions.", backlog.queuedBytes),
            MetricFamily(
                "dunlin_inflight_messages", .gauge, "QoS 1 and 2 messages sent to clients and not acknowledged yet.",
                backlog.inflightMessages),
            MetricFamily(
                "dunlin_unfinished_log_messages", .gauge,
                "Messages of the log behind the slowest session's cursor, which it has not finished.",
                unfinishedLogMessages),
        ]
    }

    private var latencyFamily: MetricFamily {
        var family = MetricFamily(
            "dunlin_message_latency_seconds", .histogram,
            """
            From the arrival of a PUBLISH to the end of the writes that it causes on one event loop; of some messages, at \
            most one in 10 ms on each event loop.
            """)
        var count: UInt64 = 0
        for (bound, inBucket) in zip(LatencyHistogram.bounds, latency.counts) {
            count += inBucket
            family.add(Double(count), suffix: "_bucket", ("le", "\(Double(bound) / 1e9)"))
        }
        count += latency.counts[LatencyHistogram.bounds.count]
        family.add(Double(count), suffix: "_bucket", ("le", "+Inf"))
        family.add(Double(latency.totalNanoseconds) / 1e9, suffix: "_sum")
        family.add(Double(count), suffix: "_count")
        return family
    }
}

extension EngineReport {
    /// The report as metrics.
    var families: [MetricFamily] {
        var acknowledging = MetricFamily(
            "dunlin_engine_acknowledging", .gauge, "1 while what has to be kept is kept and acknowledged, else 0.")
        acknowledging.add(refusal == nil ? 1 : 0, ("engine", engine))
        return [acknowledging]
            + figures.map { figure in
                var family = MetricFamily(
                    "dunlin_engine_\(figure.name)", figure.kind == .counter ? .counter : .gauge, figure.meaning)
                family.add(figure.value)
                return family
            }
    }
}

extension ProtocolVersion {
    /// As the standards number it.
    var number: String {
        switch self {
        case .v3_1: "3.1"
        case .v3_1_1: "3.1.1"
        case .v5_0: "5.0"
        }
    }
}
