import MQTTModel

/// Topics that come back: what is passed on in one direction and matched by a pattern of the other.
enum TopicOverlap {
    /// Whether some topic matches both filters.
    static func exists(_ first: String, _ second: String) -> Bool {
        overlap(levels(first), levels(second))
    }

    private static func levels(_ filter: String) -> ArraySlice<Substring> {
        filter.split(separator: "/", omittingEmptySubsequences: false)[...]
    }

    private static func overlap(_ first: ArraySlice<Substring>, _ second: ArraySlice<Substring>) -> Bool {
        if first.first == "#" || second.first == "#" { return true }
        guard let one = first.first, let two = second.first else {
            // `a/#` matches `a`, too.
            let rest = first.isEmpty ? second : first
            return rest.isEmpty || rest.first == "#"
        }
        guard one == "+" || two == "+" || one == two else { return false }
        return overlap(first.dropFirst(), second.dropFirst())
    }
}

extension BridgeOptions {
    /// A remote filter from which messages come that the bridge has sent itself, if the remote broker has no way not to
    /// send them back; nil when there is none.
    package var returningFilter: String? {
        for outgoing in topics where outgoing.passes(from: .local) {
            for incoming in topics where incoming.passes(from: .remote) {
                let filter = incoming.filter(at: .remote)
                if TopicOverlap.exists(outgoing.filter(at: .remote), filter) { return filter }
            }
        }
        return nil
    }
}
