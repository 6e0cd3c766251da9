import Backbone
import BrokerCore
import Synchronization

/// The backbone of all shards of a node, which gives the entries of the log one order.
///
/// Under its lock an entry is put into every other shard's mailbox, and what is in the mailbox of the shard that asks is
/// taken out before the entry is added: so all shards see all entries in the order in which the lock was taken.
package final class SharedBackbone: Sendable {
    private let backbone = Mutex(InMemoryBackbone())

    package init() {}

    func execute(_ command: BackboneCommand, for shard: Shard) -> BackboneOutcome {
        backbone.withLock { backbone in
            let execution = backbone.execute(command)
            if let entry = execution.entry {
                for other in shard.allShards where other !== shard { other.post([.entry(entry)], from: shard) }
                shard.takeMailIntoInputs()
                shard.inputs.append(.logAppended(entry))
            }
            return execution.outcome
        }
    }
}
