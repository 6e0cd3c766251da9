import MQTTSession
import Backbone
import MQTTModel
import TopicIndex

extension BrokerCore {
    /// Where one message of a shared subscription goes.
    enum Choice {
        case member(SharedGroupState.Member)
        case peer(UInt16)
        case nobody
    }

    /// Routes a message that shared subscriptions match: one member of each gets it [MQTT-4.8.2-4], here or on another
    /// shard, which then chooses among its own.
    mutating func routeShared(
        _ entry: LogEntry, to matches: Matches, includingPeers: Bool = true, at now: Instant,
        into effects: inout Effects
    ) {
        var elsewhere: [(peer: UInt16, group: SharedGroup)] = []
        for group in matches.groups {
            let name = SharedGroup(name: group.name, pattern: group.pattern)
            switch choose(from: group, qos: entry.message.qos, allowsPeers: true) {
            case .member(let member): deliver(entry, to: member, of: name, at: now, into: &effects)
            case .peer(let peer): elsewhere.append((peer, name))
            case .nobody: nobodyTakes(entry, of: name, into: &effects)
            }
        }
        for peer in 0..<shardCount where peer != shard {
            let groups = elsewhere.filter { $0.peer == peer }.map(\.group)
            let toSubscribers = includingPeers && matches.peers.contains(peer)
            guard toSubscribers || !groups.isEmpty else { continue }
            effects.all.append(
                .forward(shard: peer, .published(entry, toSubscribers: toSubscribers, groups: groups)))
        }
    }

    private mutating func nobodyTakes(_ entry: LogEntry, of group: SharedGroup, into effects: inout Effects) {
        counters.droppedNoMember += 1
        if entry.sequence > 0 { note([.groupFinished(group, sequence: entry.sequence)], into: &effects) }
    }

    /// Another shard chose this one for a message of the group.
    mutating func deliver(
        _ entry: LogEntry, toMemberOf group: SharedGroup, at now: Instant, into effects: inout Effects
    ) {
        guard let state = index.group(name: group.name, pattern: group.pattern),
            case .member(let member) = choose(from: state, qos: entry.message.qos, allowsPeers: false)
        else { return nobodyTakes(entry, of: group, into: &effects) }
        deliver(entry, to: member, of: group, at: now, into: &effects)
    }

    mutating func deliver(
        _ entry: LogEntry, to member: SharedGroupState.Member, of group: SharedGroup, at now: Instant,
        into effects: inout Effects
    ) {
        guard let session = sessions.slots[Int(member.subscriber)] else {
            preconditionFailure("a member of a group has a session")
        }
        let message = entry.message
        let start = effects.recipients.count
        let identifiers: [UInt32] = member.identifier == 0 ? [] : [member.identifier]
        let qos = min(member.options.maximumQoS, message.qos)
        var sequence: LogSequence = 0
        if entry.sequence > 0 {
            if session.isDurable || options.isInFlock, qos != .atMostOnce {
                sequence = entry.sequence
                session.claims[sequence, default: []].append(GroupClaim(group: group, qos: qos))
            } else if !options.isInFlock {
                // This member's copy does not last: the log need not keep it.
                note([.groupFinished(group, sequence: entry.sequence)], into: &effects)
            }
        }
        deliver(
            message, to: session, qos: qos, isRetained: message.isRetained && member.options.retainAsPublished,
            subscriptionIdentifiers: identifiers[...], sequence: sequence, isShared: true, at: now, into: &effects)
        effects.publish(message, toRecipientsFrom: start, at: now)
    }

    /// Who gets the next message: a member that can take it now, on any shard; if none can, one that will find it when
    /// it comes back.
    func choose(from group: SharedGroupState, qos: QoS, allowsPeers: Bool) -> Choice {
        let members = group.members
        let connectedElsewhere = allowsPeers ? group.peers.reduce(0) { $0 + Int($1.connectedMembers) } : 0
        let places = members.count + connectedElsewhere
        guard places > 0 else { return allowsPeers ? offlineChoice(from: group, qos: qos) : .nobody }
        let turn = group.cursor
        group.cursor &+= 1
        for step in 0..<places {
            let place = Int((turn &+ UInt64(step)) % UInt64(places))
            guard place < members.count else { return .peer(peer(at: place - members.count, of: group)) }
            guard canTakeNow(members[place]) else { continue }
            if options.sharedStrategy == .leastInflight { return .member(leastBusy(members, from: place)) }
            return .member(members[place])
        }
        return offlineChoice(from: group, qos: qos, allowsPeers: allowsPeers)
    }

    private func peer(at place: Int, of group: SharedGroupState) -> UInt16 {
        var rest = place
        for peer in group.peers {
            if rest < Int(peer.connectedMembers) { return peer.peer }
            rest -= Int(peer.connectedMembers)
        }
        preconditionFailure("a place is one of a peer's connected members")
    }

    private func canTakeNow(_ member: SharedGroupState.Member) -> Bool {
        sessions.paths[Int(member.subscriber)].mode != .none
    }

    /// The connected member with the fewest messages that it has not acknowledged; the first from `start` among equals.
    private func leastBusy(_ members: [SharedGroupState.Member], from start: Int) -> SharedGroupState.Member {
        var best = members[start]
        var fewest = load(of: best)
        for step in 1..<max(members.count, 1) {
            let member = members[(start + step) % members.count]
            guard canTakeNow(member) else { continue }
            let load = load(of: member)
            if load < fewest { (best, fewest) = (member, load) }
        }
        return best
    }

    private func load(of member: SharedGroupState.Member) -> Int {
        guard let session = sessions.slots[Int(member.subscriber)] else { return .max }
        return session.inflight.entries.count + (session.queue?.count ?? 0)
    }

    /// Nobody can take it now: a member whose session lasts gets a message with QoS > 0 when it is back.
    private func offlineChoice(from group: SharedGroupState, qos: QoS, allowsPeers: Bool = true) -> Choice {
        guard qos != .atMostOnce else { return .nobody }
        let members = group.members
        for step in 0..<members.count {
            let member = members[Int((group.cursor &+ UInt64(step)) % UInt64(members.count))]
            if member.options.maximumQoS != .atMostOnce, hasRoom(member) { return .member(member) }
        }
        if allowsPeers, let peer = group.peers.first { return .peer(peer.peer) }
        return .nobody
    }

    private func hasRoom(_ member: SharedGroupState.Member) -> Bool {
        guard let session = sessions.slots[Int(member.subscriber)] else { return false }
        return (session.queue?.boundedCount ?? 0) < limits.maximumQueuedMessages
    }

    /// Tells the other shards how many members a group has here, and how many of them are connected.
    func announce(_ group: SharedGroup, into effects: inout Effects) {
        guard shardCount > 1, !options.isInFlock else { return }
        let members = index.group(name: group.name, pattern: group.pattern)?.members ?? []
        let connected = members.count { sessions.slots[Int($0.subscriber)]?.online != nil }
        forwardToPeers(
            .groupChanged(
                shard: shard, group: group, members: UInt32(members.count), connectedMembers: UInt32(connected)),
            into: &effects)
    }

    /// The session's connection came or went: its groups have one connected member more or less.
    func groupsChanged(of session: Session, into effects: inout Effects) {
        guard shardCount > 1 else { return }
        for group in session.groups { announce(group, into: &effects) }
    }
}
