import MQTTModel

/// How the topics of one broker are called at the other, and so which messages are passed on at all.
struct TopicMapping {
    private struct Rule {
        let filter: TopicFilter
        let prefixLength: Int
        let newPrefix: [UInt8]
    }

    private let rules: [Rule]

    /// - Parameter source: the broker that the messages come from.
    init(_ topics: [BridgeTopic], from source: BridgeSide) {
        rules = topics.filter { $0.passes(from: source) }.compactMap { topic in
            TopicFilter(topic.filter(at: source)).map { filter in
                Rule(
                    filter: filter, prefixLength: topic.prefix(at: source).utf8.count,
                    newPrefix: Array(topic.prefix(at: source.other).utf8))
            }
        }
    }

    /// The topic at the other broker, by the first pattern that matches; nil when none does, or when it would be longer
    /// than a topic can be.
    func map(_ topic: String) -> [UInt8]? {
        guard let rule = rules.first(where: { $0.filter.matches(topic) }) else { return nil }
        let mapped = rule.newPrefix + topic.utf8.dropFirst(rule.prefixLength)
        return mapped.isEmpty || mapped.count > 65_535 ? nil : mapped
    }
}

extension ApplicationMessage {
    /// The same message under another topic and with other properties.
    func copy(topic: [UInt8], properties: [UInt8]) -> ApplicationMessage {
        let copy = topic.withUnsafeBytes { topic in
            properties.withUnsafeBytes { properties in
                ApplicationMessage(topic: topic, encodedProperties: properties, payload: payload)
            }
        }
        copy.qos = qos
        copy.isRetained = isRetained
        copy.expiryInterval = expiryInterval
        return copy
    }
}
