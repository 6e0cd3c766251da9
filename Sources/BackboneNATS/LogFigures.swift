import Backbone
import Synchronization

/// What the log is like, for whoever looks after the node.
final class LogFigures: Sendable {
    struct Value: Sendable {
        var keptMessages = 0
        var heldBytes: UInt64 = 0
        var droppedMessages: UInt64 = 0
        var snapshots: UInt64 = 0
        var snapshotFailures: UInt64 = 0
        var snapshotBytes: UInt64 = 0
    }

    let value = Mutex(Value())
}

extension LogFigures.Value {
    var reported: [EngineReport.Figure] {
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
        ]
    }
}
