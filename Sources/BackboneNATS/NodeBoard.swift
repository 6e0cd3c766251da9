import Backbone
import MQTTModel
import Synchronization

/// What the link's loop and other threads tell each other about the nodes of the flock and the log.
final class NodeBoard: Sendable {
    struct Content: Sendable {
        /// What this node tells of itself.
        var facts = NodeFacts()
        var sightings: [NodeSighting] = []
        var log = LogCounts()
    }

    private let content = Mutex(Content())

    var current: Content { content.withLock { $0 } }

    func announce(_ facts: NodeFacts) { content.withLock { $0.facts = facts } }

    func see(_ sightings: [NodeSighting], _ log: LogCounts) {
        content.withLock { content in
            content.sightings = sightings
            content.log = log
        }
    }
}

/// What a node has counted of the log.
struct LogCounts: Sendable {
    var writtenBatches: UInt64 = 0
    var readBatches: UInt64 = 0
    /// That the log has and this node has still to read, as of the last look.
    var lagBatches: UInt64 = 0
    /// For how long the servers have owed the node an answer.
    var lag: Duration = .zero
    /// Of the stream, as of the last look.
    var keptBatches: UInt64 = 0
    var keptBytes: UInt64 = 0
    var firstPlace: UInt64 = 0
}

extension NodeBoard.Content {
    /// Nodes of which nothing was heard for so long are taken for silent.
    private static let patience = Duration.seconds(3)

    var figures: [EngineReport.Figure] {
        let living = sightings.filter(\.isLiving)
        let silent = living.count { $0.silence.map { $0 > Self.patience } ?? true }
        let lag = Double(log.lag.wholeNanoseconds) / 1e9
        return [
            .init("living_nodes", .gauge, "Nodes of the flock that the log says live.", Double(living.count)),
            .init("silent_nodes", .gauge, "Those of them that were not heard for 3 s.", Double(silent)),
            .init(
                "draining_nodes", .gauge, "Those of them that are being drained.",
                Double(living.count { $0.facts?.isDraining == true })),
            .init("batches_written_total", .counter, "Batches that the node has written.", Double(log.writtenBatches)),
            .init("batches_read_total", .counter, "Batches of all nodes that it has read.", Double(log.readBatches)),
            .init(
                "lag_batches", .gauge, "Batches of the log that the node has still to read.", Double(log.lagBatches)),
            .init(
                "lag_seconds", .gauge, "For how long the servers have owed the node an answer.", lag),
            .init("log_batches", .gauge, "Batches that the log holds.", Double(log.keptBatches)),
            .init("log_bytes", .gauge, "Bytes that the log holds.", Double(log.keptBytes)),
            .init("log_first_place", .gauge, "Place of the first batch that the log holds.", Double(log.firstPlace)),
        ]
    }
}
