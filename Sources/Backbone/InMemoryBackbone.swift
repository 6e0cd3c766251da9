/// The engine that keeps nothing: what it is told lives in the shards' memory and dies with the process.
///
/// Pure: the driver calls `execute` (under a lock where shards run in parallel, which makes the order in which changes
/// are handed to the shards one order), gives every shard the change that comes back, and only then the answer.
package struct InMemoryBackbone: Sendable {
    /// What the driver has to do with a command: hand `change` to every shard, then answer with `outcome`.
    package struct Execution: Sendable {
        package let outcome: BackboneOutcome
        package let change: RetainedChange?
    }

    package init() {}

    package func execute(_ command: BackboneCommand) -> Execution {
        switch command {
        case .append: Execution(outcome: .done, change: nil)
        case .retain(let message, let publisher):
            Execution(outcome: .done, change: RetainedChange(message: message, publisher: publisher))
        }
    }
}
