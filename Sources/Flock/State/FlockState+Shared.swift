package import Backbone
package import MQTTModel

/// What happens to shared subscriptions with what the log says.
extension FlockState {
    /// Gives a message to one member of each group that it matches.
    mutating func give(
        _ append: LogAppend, of publisher: ExactText, at position: LogSequence, _ index: Int, _ applied: inout Applied
    ) {
        let owners = owners
        let choices = shared.give(append.message, at: position, append.preference) { owners[$0] == publisher }
        let own = choices.filter { owners[$0.client] == node }
        if !own.isEmpty { applied.chosen[index] = own }
    }

    /// A connected member of each shared subscription for a message with QoS 0 of this node's, which is not in the log.
    package mutating func choose(for message: ApplicationMessage, _ preference: MemberPreference) -> [GroupChoice] {
        let (owners, node) = (owners, node)
        return shared.chooseUnlogged(for: message, preference) { owners[$0] == node }
    }

    mutating func applyShared(_ change: SessionChange, _ index: Int, _ applied: inout Applied) {
        let client = ExactText(change.clientIdentifier ?? "")
        switch change {
        case .began, .ended, .departed: passed(shared.end(client), index, &applied)
        case .connected: shared.setConnected(client, true)
        case .disconnected: shared.setConnected(client, false)
        case .subscribed(_, let filter, let options, _, _, _):
            guard let group = SharedGroup(filter: filter) else { return }
            shared.join(client, group, maximumQoS: options.maximumQoS)
        case .unsubscribed(_, let filter, _):
            guard let group = SharedGroup(filter: filter) else { return }
            shared.leave(client, group)
        case .sending(_, let exchange, _, _):
            guard let group = exchange.group else { return }
            shared.begin(group, exchange.sequence, of: client)
        case .groupFinished(let group, let sequence): shared.finish(group, sequence)
        case .groupPassed(let group, let sequence, _):
            if let one = shared.pass(group, sequence, of: client) { passed([one], index, &applied) }
        case .wished, .fulfilled, .released, .handedOver, .finished, .advanced: break
        }
    }

    /// The clients have no connection on the node any more that had them: their sessions wait for them, or have ended
    /// with that.
    mutating func moved(_ clients: [ExactText], _ index: Int, _ applied: inout Applied) {
        for client in clients { shared.setConnected(client, false) }
        for client in clients where sessions[client] == nil { passed(shared.end(client), index, &applied) }
    }

    private func passed(_ some: [SharedSubscriptions.Passed], _ index: Int, _ applied: inout Applied) {
        for one in some where owners[one.choice.client] == node {
            guard var entry = kept.entry(at: one.place) else { continue }
            entry.choices = [one.choice]
            applied.passed[index, default: []].append(entry)
        }
    }
}
