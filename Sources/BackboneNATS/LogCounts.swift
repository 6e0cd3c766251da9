import Backbone
import MQTTModel

/// What a node has counted of the log, for whoever looks after it.
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
    /// That somebody still wants, and the bytes of the log that are held for them.
    var keptMessages = 0
    var heldBytes: UInt64 = 0
    var droppedMessages: UInt64 = 0
    var snapshots: UInt64 = 0
    var snapshotFailures: UInt64 = 0
    /// Of the newest snapshot.
    var snapshotBytes: UInt64 = 0
}

extension LogCounts {
    var figures: [EngineReport.Figure] {
        [
            .init(
                "log_dropped_messages_total", .counter,
                "Messages that lasting sessions had not had when the log became too large or they too old.",
                Double(droppedMessages)),
            .init(
                "snapshots_total", .counter, "Snapshots of the flock's state that this node has written.",
                Double(snapshots)),
            .init(
                "snapshot_failures_total", .counter, "Snapshots that it could not write.", Double(snapshotFailures)),
            .init("snapshot_size_bytes", .gauge, "Size of the newest snapshot.", Double(snapshotBytes)),
            .init("batches_written_total", .counter, "Batches that the node has written.", Double(writtenBatches)),
            .init("batches_read_total", .counter, "Batches of all nodes that it has read.", Double(readBatches)),
            .init("lag_batches", .gauge, "Batches of the log that the node has still to read.", Double(lagBatches)),
            .init(
                "lag_seconds", .gauge, "For how long the servers have owed the node an answer.",
                Double(lag.wholeNanoseconds) / 1e9),
            .init("log_batches", .gauge, "Batches that the log holds.", Double(keptBatches)),
            .init("log_bytes", .gauge, "Bytes that the log holds.", Double(keptBytes)),
            .init("log_first_place", .gauge, "Place of the first batch that the log holds.", Double(firstPlace)),
        ]
    }
}
