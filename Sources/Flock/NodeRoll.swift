package import Backbone
package import MQTTModel

/// What a node has heard of the nodes of its flock, itself included, by their beats.
package struct NodeRoll: Sendable {
    private struct Entry {
        var incarnation: UInt64
        var facts: NodeFacts?
        var heardAt: Instant
    }

    /// Nodes that are known at a time; what further ones say of themselves is not.
    static let maximumNodes = 1024
    /// For so long a node that has ended is still shown.
    static let memory: Duration = .seconds(600)

    private var entries: [ExactText: Entry] = [:]

    package init() {}

    package mutating func heard(_ beat: Liveness.Beat, _ facts: NodeFacts?, at now: Instant) {
        if entries[beat.node] == nil, entries.count >= NodeRoll.maximumNodes {
            entries = entries.filter { now < $0.value.heardAt.advanced(by: NodeRoll.memory) }
            guard entries.count < NodeRoll.maximumNodes else { return }
        }
        entries[beat.node] = Entry(incarnation: beat.incarnation, facts: facts, heardAt: now)
    }

    /// Those that live, and those that were heard a while ago, by name.
    ///
    /// - Parameter living: those that the log says live, with their incarnation.
    package func sightings(living: [ExactText: UInt64], at now: Instant) -> [NodeSighting] {
        var names = Set(living.keys)
        names.formUnion(entries.filter { now < $0.value.heardAt.advanced(by: NodeRoll.memory) }.keys)
        return names.sorted { $0.string < $1.string }.map { name in
            let entry = entries[name].flatMap { entry in
                living[name].map { $0 == entry.incarnation } ?? true ? entry : nil
            }
            let silence = entry.map { Duration.nanoseconds(Int64(clamping: now.nanoseconds - $0.heardAt.nanoseconds)) }
            return NodeSighting(
                name: name.string, isLiving: living[name] != nil, silence: silence, facts: entry?.facts)
        }
    }
}
