import MQTTClient

/// A message as one line of JSON, with the keys of mosquitto_sub's `%j`.
enum MessageJSON {
    static func text(_ message: MQTTClient.Message, at time: WallClockTime, payloadIsJSON: Bool) -> String {
        let timestamp =
            time.text("%Y-%m-%dT%H:%M:%S.") + time.nanosecondsText.prefix(6) + time.text("%z")
        var members = [
            ("tst", JSONText.quoted(timestamp)), ("topic", JSONText.quoted(message.topic)),
            ("qos", String(message.qos.rawValue)),
            ("retain", message.isRetained ? "1" : "0"), ("payloadlen", String(message.payload.count)),
        ]
        let properties = propertyMembers(message)
        if !properties.isEmpty { members.append(("properties", object(properties))) }
        let payload = message.text
        members.append(("payload", payloadIsJSON ? (payload.isEmpty ? "null" : payload) : JSONText.quoted(payload)))
        return object(members)
    }

    private static func propertyMembers(_ message: MQTTClient.Message) -> [(String, String)] {
        let properties = message.properties
        var members: [(String, String)] = []
        if let value = properties.payloadFormatIndicator { members.append(("payload-format-indicator", String(value))) }
        if let value = properties.messageExpiryInterval { members.append(("message-expiry-interval", String(value))) }
        if let value = properties.contentType { members.append(("content-type", JSONText.quoted(value))) }
        if let value = properties.responseTopic { members.append(("response-topic", JSONText.quoted(value))) }
        if let value = properties.correlationData {
            members.append(("correlation-data", JSONText.quoted(String(decoding: value, as: UTF8.self))))
        }
        let userProperties = properties.userProperties.map {
            "{\(JSONText.quoted($0.name)):\(JSONText.quoted($0.value))}"
        }
        if !userProperties.isEmpty {
            members.append(("user-properties", "[\(userProperties.joined(separator: ","))]"))
        }
        if !message.subscriptionIdentifiers.isEmpty {
            let identifiers = message.subscriptionIdentifiers.map(String.init).joined(separator: ",")
            members.append(("subscription-identifiers", "[\(identifiers)]"))
        }
        return members
    }

    private static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(JSONText.quoted($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    }
}
