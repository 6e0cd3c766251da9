package import Backbone

extension SQLiteBackbone {
    package var report: EngineReport {
        let statistics = statistics
        var report = EngineReport(engine: "sqlite")
        report.refusal = refusal
        report.pendingCommands = statistics.pendingCommands
        report.answeredCommands = statistics.commands
        report.keptMessages = statistics.logMessages
        report.keptBytes = statistics.logBytes
        report.figures = StoreStatistics.names.map { $0.figure(statistics) }
        return report
    }
}

/// A number of `StoreStatistics` as metrics show it: `dunlin_engine_NAME`.
package struct StoreFigureName: Sendable {
    /// The property of `StoreStatistics`.
    package let property: String
    let name: String
    let kind: EngineReport.Figure.Kind
    let meaning: String
    let value: @Sendable (StoreStatistics) -> Double

    package var metric: String { "dunlin_engine_\(name)" }

    func figure(_ statistics: StoreStatistics) -> EngineReport.Figure {
        EngineReport.Figure(name, kind, meaning, value(statistics))
    }
}

extension StoreStatistics {
    /// A line for every number.
    package static let names: [StoreFigureName] = [
        name("commits", "commits_total", "Transactions.") { $0.commits },
        name("commitMicroseconds", "commit_seconds_total", "Time spent in transactions.", micro) {
            $0.commitMicroseconds
        },
        name("commands", "commands_total", "Commands that were answered.") { $0.commands },
        name("appended", "log_appended_messages_total", "Messages that went to the log.") { $0.appended },
        name("appendedBytes", "log_appended_bytes_total", "Topics, properties and payloads that went to the log.") {
            $0.appendedBytes
        },
        name("failures", "failed_commits_total", "Transactions that failed.") { $0.failures },
        name("refused", "refused_commands_total", "Commands for which there was no room.") { $0.refused },
        name(
            "droppedByRetention", "log_dropped_messages_total",
            "Messages deleted because of the log's bounds though sessions may have wanted them."
        ) { $0.droppedByRetention },
        name("trimmed", "log_trimmed_messages_total", "Messages deleted because nobody needed them any more.") {
            $0.trimmed
        },
        name("checkpoints", "checkpoints_total", "Times that the write-ahead log was moved to the file.") {
            $0.checkpoints
        },
        name("lockedOut", "locked_out_total", "Quarters of a second that another program kept the file locked.") {
            $0.lockedOut
        },
        gauge("lastCommitMicroseconds", "last_commit_seconds", "Time of the last transaction.", micro) {
            $0.lastCommitMicroseconds
        },
        gauge(
            "longestTrimMicroseconds", "longest_trim_seconds",
            "The longest that deleting what nobody needs has added to a transaction.", micro
        ) { $0.longestTrimMicroseconds },
        gauge("logMessages", "log_messages", "Messages in the log.") { UInt64(clamping: $0.logMessages) },
        gauge("logBytes", "log_bytes", "Topics, properties and payloads in the log.") { UInt64(clamping: $0.logBytes) },
        gauge("lastSequence", "log_last_sequence", "Number of the last message of the log.") { $0.lastSequence },
        gauge("retentionThrough", "log_retention_sequence", "Up to here the log's bounds have deleted everything.") {
            $0.retentionThrough
        },
        gauge("walBytes", "write_ahead_log_bytes", "Size of the write-ahead log.") { UInt64(clamping: $0.walBytes) },
        gauge("pendingCommands", "pending_commands", "Commands that wait for the disk.") {
            UInt64(clamping: $0.pendingCommands)
        },
    ]

    private static let micro = 1e-6

    private static func name(
        _ property: String, _ name: String, _ meaning: String, _ unit: Double = 1,
        _ value: @escaping @Sendable (StoreStatistics) -> UInt64
    ) -> StoreFigureName {
        StoreFigureName(property: property, name: name, kind: .counter, meaning: meaning) { Double(value($0)) * unit }
    }

    private static func gauge(
        _ property: String, _ name: String, _ meaning: String, _ unit: Double = 1,
        _ value: @escaping @Sendable (StoreStatistics) -> UInt64
    ) -> StoreFigureName {
        StoreFigureName(property: property, name: name, kind: .gauge, meaning: meaning) { Double(value($0)) * unit }
    }
}
