import Backbone
import BrokerCore
import Synchronization

/// The backbone of all shards of a node, which gives the changes of retained messages one order.
///
/// Under its lock a change is put into every other shard's mailbox, and what is in the mailbox of the shard that asks is
/// taken out before its own change is added: so all shards see all changes in the order in which the lock was taken.
package final class SharedBackbone: Sendable {
    private let backbone = Mutex(InMemoryBackbone())

    package init() {}

    func execute(_ command: BackboneCommand, for shard: Shard) -> BackboneOutcome {
        backbone.withLock { backbone in
            let execution = backbone.execute(command)
            if let change = execution.change {
                for other in shard.allShards where other !== shard { other.post([.retained(change)], from: shard) }
                shard.takeMailIntoInputs()
                shard.inputs.append(.retainedChanged(change))
            }
            return execution.outcome
        }
    }
}
