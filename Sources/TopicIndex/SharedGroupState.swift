package import MQTTModel

/// One shared subscription, a share name and a pattern (5.0 section 4.8.2): its members on this shard, and how many it
/// has on others. The index owns and changes it; it lives in matches as long as those are held, and is empty once the
/// last member has left.
package final class SharedGroupState {
    /// A session of this shard that is a member.
    package struct Member: Equatable, Sendable {
        package var subscriber: UInt32
        /// 0 when the subscription has none.
        package var identifier: UInt32
        package var options: SubscriptionOptions
    }

    /// Another shard that has members.
    package struct Peer: Equatable, Sendable {
        package var peer: UInt16
        package var members: UInt32
        package var connectedMembers: UInt32
    }

    package let name: String
    package let pattern: String
    /// In the order they joined.
    package private(set) var members: [Member] = []
    /// Ascending by peer.
    package private(set) var peers: [Peer] = []
    /// The core's round robin position.
    package var cursor: UInt64 = 0

    /// Who is in `members`, so that a join need not look through them all. Never iterated.
    private var memberSet: Set<UInt32> = []

    init(name: String, pattern: String) {
        self.name = name
        self.pattern = pattern
    }

    /// No member on any shard.
    package var isEmpty: Bool { members.isEmpty && peers.isEmpty }

    /// By bytes, which Swift's own comparison of strings is not: it takes "é" and "e" with an accent for the same
    /// [MQTT-4.7.3-4].
    func isNamed(_ other: String) -> Bool { name.utf8.elementsEqual(other.utf8) }

    func isNamed(before other: String) -> Bool { name.utf8.lexicographicallyPrecedes(other.utf8) }

    package func member(_ subscriber: UInt32) -> Member? {
        memberSet.contains(subscriber) ? members.first { $0.subscriber == subscriber } : nil
    }

    /// - Returns: whether it is new; else its options and identifier were replaced and it keeps its place.
    func join(_ member: Member) -> Bool {
        if memberSet.insert(member.subscriber).inserted {
            members.append(member)
            return true
        }
        if let position = members.firstIndex(where: { $0.subscriber == member.subscriber }) {
            members[position] = member
        }
        return false
    }

    /// - Returns: whether it was a member.
    func leave(_ subscriber: UInt32) -> Bool {
        guard memberSet.remove(subscriber) != nil,
            let position = members.firstIndex(where: { $0.subscriber == subscriber })
        else { return false }
        members.remove(at: position)
        return true
    }

    /// What another shard says of its members; none takes it off the list.
    func setPeer(_ peer: Peer) {
        let position = peers.firstIndex { $0.peer >= peer.peer } ?? peers.endIndex
        let isListed = position < peers.endIndex && peers[position].peer == peer.peer
        switch (isListed, peer.members == 0) {
        case (true, true): peers.remove(at: position)
        case (true, false): peers[position] = peer
        case (false, false): peers.insert(peer, at: position)
        case (false, true): break
        }
    }
}
