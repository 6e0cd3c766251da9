import Backbone
import Flock
import MQTTModel

/// Faults put into a node on purpose (`PlantedBug`): what a flock with that bug would do.
extension SimulatedNode {
    /// Answers what is asked for before it is in the log, for the bugs of that kind.
    func anticipate(_ command: BackboneCommand, _ token: BackboneToken, of shard: UInt16) {
    }

    /// What is settled, without what was answered before.
    func adjusted(_ settled: [Settled]) -> [Settled] { settled }

    /// A batch has come from the log.
    func spoil(_ batch: FlockBatch, _ applied: FlockState.Applied) {
    }
}
