import Backbone
import MQTTModel

/// Which member of a group is chosen.
extension SharedSubscriptions {
    /// A connected member, of those that are preferred if there is one; each in turn, or the one with the least to do.
    /// With nobody connected, one whose session waits for its client, if the message is to be kept. A member that is away
    /// has a session that lasts, or it would be none.
    ///
    /// - Parameter isLocal: whether the client is on the publisher's node.
    /// - Returns: its place among the members.
    func choose(
        from group: SharedGroup, _ qos: QoS, _ preference: MemberPreference, isLocal: (ExactText) -> Bool
    ) -> Int? {
        guard let group = groups[group] else { return nil }
        return place(in: group, from: group.turn, qos, preference, isLocal: isLocal)
    }

    /// A connected member of each group for a message with QoS 0 that is not in the log. Other nodes need not choose alike.
    mutating func chooseUnlogged(
        for message: ApplicationMessage, _ preference: MemberPreference, isLocal: (ExactText) -> Bool
    ) -> [GroupChoice] {
        groups(matching: message.topic).compactMap { name in
            guard let group = groups[name],
                let place = place(in: group, from: group.ownTurn, .atMostOnce, preference, isLocal: isLocal)
            else { return nil }
            groups[name]?.ownTurn = place + 1
            return GroupChoice(name, client: group.members[place].client, isKept: false)
        }
    }

    private func place(
        in group: Group, from turn: Int, _ qos: QoS, _ preference: MemberPreference, isLocal: (ExactText) -> Bool
    ) -> Int? {
        let members = group.members
        var local: Int?
        var anywhere: Int?
        var away: Int?
        for step in members.indices {
            let place = (turn + step) % members.count
            let member = members[place]
            guard member.isConnected else {
                if away == nil, min(member.maximumQoS, qos) != .atMostOnce { away = place }
                continue
            }
            func isBetter(_ best: Int?) -> Bool {
                guard let best else { return true }
                return preference.contains(.leastBusy) && member.unfinished < members[best].unfinished
            }
            if isBetter(anywhere) { anywhere = place }
            if preference.contains(.local), isBetter(local), isLocal(member.client) { local = place }
            // Nothing better can come.
            if !preference.contains(.leastBusy), local != nil || !preference.contains(.local) { break }
        }
        return local ?? anywhere ?? away
    }
}
