package import MQTTModel

/// Aliases are within the client's maximum [MQTT-3.1.2-26, MQTT-3.1.2-27], and none is used before it was defined.
package struct TopicAliasChecker: Checker {
    private let profiles: [ClientProfile]

    package init(profiles: [ClientProfile]) { self.profiles = profiles }

    package mutating func observe(
        _ occurrence: Occurrence, at now: Instant, history: History, verdict: inout Verdict
    ) {
        guard case .publishReceived(let who, let received) = occurrence else { return }
        let profile = profiles[who.client]
        let alias = received.publish.topicAlias
        if alias > profile.topicAliasMaximum {
            verdict.fail(
                .topicAlias, "\(profile.identifier) got alias \(alias), allowed \(profile.topicAliasMaximum)", at: now)
        }
        if received.topic == nil {
            verdict.fail(.topicAlias, "\(profile.identifier) does not know alias \(alias)", at: now)
        }
    }
}
