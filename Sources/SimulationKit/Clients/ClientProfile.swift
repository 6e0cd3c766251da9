package import MQTTModel

/// What a simulated client is like for the whole of a run.
package struct ClientProfile: Sendable {
    package let index: Int
    package let identifier: String
    package let version: ProtocolVersion
    /// Seconds that the session outlives the connection; `.max` for ever.
    package let sessionExpiryInterval: UInt32
    package let receiveMaximum: UInt16
    package let maximumPacketSize: UInt32?
    package let topicAliasMaximum: UInt16
    /// Seconds; 0 for none.
    package let keepAlive: UInt16
    /// Whether it joins shared subscriptions, whose topics it then has no other subscription to.
    package let isGroupMember: Bool
    /// Unacknowledged messages that it allows itself.
    package let maximumInflight: Int
    package let role: Role

    package enum Role: Sendable {
        case ordinary
        /// Subscribes to everything with QoS 2, reads and acknowledges at once, suffers no fault, and does so for the
        /// whole run: a witness for the checkers.
        case monitor
        /// The same, but comes when all is quiet: sees what is retained.
        case auditor
    }

    package static func witness(index: Int, role: Role, node: Int = 0) -> ClientProfile {
        ClientProfile(
            index: index, identifier: node == 0 ? "\(role)" : "\(role)-\(node)", version: .v5_0,
            sessionExpiryInterval: .max, receiveMaximum: 65_535, maximumPacketSize: nil, topicAliasMaximum: 0,
            keepAlive: 0, isGroupMember: false, maximumInflight: 1,
            role: role)
    }

    package var isMonitor: Bool { role == .monitor }

    package static func drawn(index: Int, swarm: Swarm, using random: inout SplitMix64) -> ClientProfile {
        let version = random.pick([ProtocolVersion.v5_0, .v5_0, .v3_1_1, .v3_1])
        let drawnExpiry = random.pick([0, .max, .max, version == .v5_0 ? UInt32(random.integer(in: 1...4)) : .max])
        // CONNACK of 3.1 has no Session Present: its client never knows what it came back to.
        let expiry = version == .v3_1 ? 0 : drawnExpiry
        let isMember = random.chance(swarm.sharedPercent)
        let receiveMaximum: UInt16 = random.pick([1, 2, 5, 65_535, 65_535])
        let maximumPacketSize: UInt32? = random.pick([nil, nil, nil, nil, 60, 120])
        let aliases: UInt16 = random.pick([0, 1, 5])
        let hasProperties = version.hasProperties
        return ClientProfile(
            index: index, identifier: "client-\(index)", version: version, sessionExpiryInterval: expiry,
            receiveMaximum: hasProperties ? receiveMaximum : 65_535,
            maximumPacketSize: hasProperties ? maximumPacketSize : nil, topicAliasMaximum: hasProperties ? aliases : 0,
            keepAlive: random.pick([0, 0, 3, 10]), isGroupMember: isMember,
            maximumInflight: random.pick([1, 3, 10, 40]), role: .ordinary)
    }

    /// Whether the session is kept when the connection ends.
    package var isPersistent: Bool { sessionExpiryInterval > 0 }
    /// Whether the session ends only by the client's wish.
    package var isImmortal: Bool { sessionExpiryInterval == .max }
}
