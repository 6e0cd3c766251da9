/// The engine that keeps nothing: what it is told lives in the shards' memory and dies with the process.
///
/// Pure: the driver calls `execute` (under a lock where shards run in parallel, which makes the order in which entries are
/// handed to the shards one order), gives every shard the entry that comes back, and only then the answer.
package struct InMemoryBackbone: Sendable {
    /// What the driver has to do with a command: hand `entry` to every shard, then answer with `outcome`; a `fetch` with
    /// `found`.
    package struct Execution: Sendable {
        package let outcome: BackboneOutcome
        package let entry: LogEntry?
        package var found: [LogEntry]?
    }

    private var lastSequence: LogSequence = 0

    package init() {}

    package mutating func execute(_ command: BackboneCommand) -> Execution {
        if case .fetch = command { return Execution(outcome: .done, entry: nil, found: []) }
        guard case .append(let append) = command else { return Execution(outcome: .done, entry: nil) }
        var sequence: LogSequence = 0
        if append.isKept || !append.groups.isEmpty {
            lastSequence += 1
            sequence = lastSequence
        }
        let entry = LogEntry(sequence: sequence, message: append.message, publisher: append.publisher)
        return Execution(outcome: .done, entry: entry)
    }
}
