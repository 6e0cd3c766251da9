package import MQTTModel

/// Receive Maximum [MQTT-3.3.4-9] and packet identifiers [MQTT-2.2.1-4], from the client's side: what it has received
/// and not acknowledged yet is a part of what the broker counts.
package struct WindowChecker: Checker {
    private let profiles: [ClientProfile]
    /// Of each client: identifiers in use on its connection, and that connection.
    private var inUse: [Set<PacketIdentifier>]

    package init(profiles: [ClientProfile]) {
        self.profiles = profiles
        inUse = Array(repeating: [], count: profiles.count)
    }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        switch occurrence {
        case .connected(let who, _): inUse[who.client] = []
        case .publishReceived(let who, let received) where received.publish.qos != .atMostOnce:
            let identifier = received.publish.packetIdentifier
            let client = profiles[who.client].identifier
            if identifier == 0 { verdict.fail(.packetIdentifier, "\(client) got identifier 0", at: now) }
            if !inUse[who.client].insert(identifier).inserted {
                verdict.fail(.packetIdentifier, "\(client) got identifier \(identifier) while it is in use", at: now)
            }
            let limit = Int(profiles[who.client].receiveMaximum)
            if inUse[who.client].count > limit {
                verdict.fail(
                    .receiveMaximum, "\(client) has \(inUse[who.client].count) in flight, allowed \(limit)", at: now)
            }
        case .acknowledgementSent(let who, let kind, let identifier, let isError):
            // A PUBREC keeps the identifier and its place in the window until PUBCOMP, unless it refuses.
            if kind != .pubRec || isError { inUse[who.client].remove(identifier) }
        default: break
        }
    }
}
