import BrokerConfiguration
import Foundation
import Logging
import Synchronization

/// Where the log goes and how much of it: shared by all loggers of the process, so that an operator can change the level
/// while it runs.
final class LogOutput: Sendable {
    let format: LogFormat
    private let currentLevel: Atomic<Int>
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one line with its end, whole.
    init(
        _ format: LogFormat, level: Logger.Level,
        write: @escaping @Sendable (String) -> Void = { FileHandle.standardError.write(Data($0.utf8)) }
    ) {
        self.format = format
        self.write = write
        currentLevel = Atomic(Self.number(of: level))
    }

    var level: Logger.Level {
        get { Logger.Level.allCases[currentLevel.load(ordering: .relaxed)] }
        set { currentLevel.store(Self.number(of: newValue), ordering: .relaxed) }
    }

    private static func number(of level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }

    fileprivate func write(_ event: LogEvent, label: String, _ metadata: Logger.Metadata, at time: Date) {
        switch format {
        case .text: write(LogLine.text(event, label: label, metadata, at: time))
        case .json: write(LogLine.json(event, label: label, metadata, at: time))
        }
    }
}

/// What swift-log calls with each entry.
struct LineLogHandler: LogHandler {
    let label: String
    let output: LogOutput
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    /// Set for a logger that is to be quieter than the others.
    private var floor = Logger.Level.trace

    init(label: String, output: LogOutput) {
        self.label = label
        self.output = output
    }

    var logLevel: Logger.Level {
        get { max(floor, output.level) }
        set { floor = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let own = event.metadata { all.merge(own) { _, new in new } }
        output.write(event, label: label, all, at: Date())
    }
}

/// An entry as a line.
enum LogLine {
    /// `2026-11-24T10:15:30.123Z info dunlin: client=one reason=banned connection refused`
    static func text(_ event: LogEvent, label: String, _ metadata: Logger.Metadata, at time: Date) -> String {
        let pairs = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\(quoted("\($0.value)"))" }.joined()
        return "\(timestamp(time)) \(event.level) \(label): \(event.message)\(pairs)\n"
    }

    /// One JSON object: `time`, `level`, `logger`, `message`, and the metadata beside them.
    static func json(_ event: LogEvent, label: String, _ metadata: Logger.Metadata, at time: Date) -> String {
        let first = [
            ("time", timestamp(time)), ("level", event.level.rawValue), ("logger", label),
            ("message", "\(event.message)"),
        ]
        let taken = Set(first.map(\.0))
        let rest = metadata.sorted { $0.key < $1.key }
            .map { (taken.contains($0.key) ? $0.key + "_" : $0.key, "\($0.value)") }
        let members = (first + rest).map {
            "\(JSONText.quoted($0.0, isForTerminals: true)):\(JSONText.quoted($0.1, isForTerminals: true))"
        }
        return "{" + members.joined(separator: ",") + "}\n"
    }

    private static func timestamp(_ time: Date) -> String {
        time.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
    }

    /// A value that could be taken for something else is quoted, so that no client writes an entry of its own.
    private static func quoted(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
        return isPlain ? text : JSONText.quoted(text, isForTerminals: true)
    }
}
