import Backbone
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

    func see(_ log: LogCounts) { content.withLock { $0.log = log } }
}

extension NodeBoard.Content {
    /// Nodes of which nothing was heard for so long are taken for silent.
    private static let patience = Duration.seconds(3)

    var figures: [EngineReport.Figure] {
        let living = sightings.filter(\.isLiving)
        let silent = living.count { $0.silence.map { $0 > Self.patience } ?? true }
        return [
            .init("living_nodes", .gauge, "Nodes of the flock that the log says live.", Double(living.count)),
            .init("silent_nodes", .gauge, "Those of them that were not heard for 3 s.", Double(silent)),
            .init(
                "draining_nodes", .gauge, "Those of them that are being drained.",
                Double(living.count { $0.facts?.isDraining == true })),
        ] + log.figures
    }
}
