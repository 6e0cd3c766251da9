package import BrokerCore
package import BrokerRuntime
import MQTTModel
import NIOCore

/// What a node has counted and what it holds, over all its shards. Taken without stopping any: each shard is asked for a
/// copy on its loop, one after another.
package struct NodeFigures: Sendable {
    package var connections = 0
    package var clients = ClientCounts()
    package var counters: [UInt64] = Array(repeating: 0, count: Counters.names.count)
    package var runtime = RuntimeCounters()
    package var received = MessageCounts()
    package var sent = MessageCounts()
    package var latency = LatencyHistogram()
    package var backlog = SessionBacklog()
    package var sessions = 0
    package var lastingSessions = 0
    package var subscriptions = 0
    /// Every shard has all of them.
    package var retainedMessages = 0
    package var retainedBytes = 0
    /// Of the shard that lags most.
    package var unfinishedLogMessages: UInt64 = 0

    package init() {}

    /// The sum of one of the core's counters.
    package func count(of counter: any KeyPath<Counters, UInt64> & Sendable) -> UInt64 {
        Counters.names.firstIndex { $0.path == counter }.map { counters[$0] } ?? 0
    }

    /// Messages that were not delivered to a session, for whatever reason.
    package var droppedMessages: UInt64 {
        zip(Counters.names, counters).reduce(0) { $1.0.name == "messages_dropped_total" ? $0 + $1.1 : $0 }
    }

    package mutating func add(_ shard: ShardMetrics) {
        connections += shard.connections
        for version in ProtocolVersion.allCases { clients[version] += shard.clients[version] }
        for (index, name) in Counters.names.enumerated() { counters[index] += shard.core[keyPath: name.path] }
        runtime += shard.runtime
        received += shard.received
        sent += shard.sent
        latency += shard.latency
        sessions += shard.census.sessions
        lastingSessions += shard.census.lastingSessions
        subscriptions += shard.census.subscriptions
        retainedMessages = max(retainedMessages, shard.census.retainedMessages)
        retainedBytes = max(retainedBytes, shard.census.retainedBytes)
        unfinishedLogMessages = max(unfinishedLogMessages, shard.census.unfinishedLogMessages)
    }

    /// Adds what waits in the sessions, which takes a look at every one: in small steps.
    package mutating func addBacklog(of shards: [Shard]) async throws {
        for shard in shards {
            var place: Int? = 0
            while let from = place {
                let part = try await shard.loop.submit { shard.backlog(from: from) }.get()
                backlog += part.backlog
                place = part.next
            }
        }
    }
}

extension BrokerServer {
    /// What the broker has counted and what it holds; without what waits in the sessions, which costs a look at each.
    package func figures() async throws -> NodeFigures {
        var figures = NodeFigures()
        for metrics in try await metrics() { figures.add(metrics) }
        return figures
    }
}
