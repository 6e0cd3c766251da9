package import MQTTModel

/// Which nodes have not been heard of for too long. It counts the node's own beats and not time: a node that was itself
/// stopped for a while takes nobody for dead on waking up. And it counts only while the node's own beats come back: one
/// that the servers do not hear says nothing of others.
package struct Liveness: Sendable {
    package struct Beat: Sendable, Hashable {
        package let node: ExactText
        package let incarnation: UInt64

        package init(node: String, incarnation: UInt64) {
            self.node = ExactText(node)
            self.incarnation = incarnation
        }
    }

    /// Beats that a node may miss.
    private let patience: Int
    private let own: Beat
    /// Own beats since each was heard.
    private var silence: [Beat: Int] = [:]

    package init(of own: Beat, patience: Int) {
        self.own = own
        self.patience = patience
    }

    package mutating func heard(_ beat: Beat) { silence[beat] = 0 }

    /// Called with each of the node's own beats.
    ///
    /// - Parameter living: those that the log says live.
    /// - Returns: those of them that are to be declared dead.
    package mutating func beat(living: [Beat]) -> [Beat] {
        let before = silence
        silence = [:]
        let isHeard = before[own].map { $0 <= 1 } ?? true
        for beat in living {
            let missed = before[beat] ?? 0
            silence[beat] = beat == own || isHeard ? missed + 1 : missed
        }
        guard isHeard else { return [] }
        return living.filter { $0 != own && silence[$0] ?? 0 > patience }.sorted { $0.node.string < $1.node.string }
    }
}

extension RecordWriter {
    package mutating func append(_ beat: Liveness.Beat) {
        append(byte: FlockBatch.version)
        append(beat.node.string)
        append(beat.incarnation)
    }
}

extension RecordReader {
    package mutating func beat() throws(MalformedRecord) -> Liveness.Beat {
        _ = try byte()
        let node = try text()
        return Liveness.Beat(node: node, incarnation: try number())
    }
}
