package import MQTTModel

/// No packet is larger than the client allows [MQTT-3.1.2-24].
package struct PacketSizeChecker: Checker {
    private let profiles: [ClientProfile]

    package init(profiles: [ClientProfile]) { self.profiles = profiles }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        guard case .publishReceived(let who, let received) = occurrence,
            let limit = profiles[who.client].maximumPacketSize, received.packetLength > Int(limit)
        else { return }
        verdict.fail(
            .maximumPacketSize,
            "\(profiles[who.client].identifier) got \(received.packetLength) bytes, allowed \(limit)", at: now)
    }
}
