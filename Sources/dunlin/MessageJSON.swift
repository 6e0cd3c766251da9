import MQTTClient

/// A message as one line of JSON, with the keys of mosquitto_sub's `%j`.
enum MessageJSON {
    static func text(_ message: MQTTClient.Message, at time: WallClockTime, payloadIsJSON: Bool) -> String {
        let timestamp =
            time.text("%Y-%m-%dT%H:%M:%S.") + time.nanosecondsText.prefix(6) + time.text("%z")
        var members = [
            ("tst", quoted(timestamp)), ("topic", quoted(message.topic)), ("qos", String(message.qos.rawValue)),
            ("retain", message.isRetained ? "1" : "0"), ("payloadlen", String(message.payload.count)),
        ]
        let properties = propertyMembers(message)
        if !properties.isEmpty { members.append(("properties", object(properties))) }
        let payload = message.text
        members.append(("payload", payloadIsJSON ? (payload.isEmpty ? "null" : payload) : quoted(payload)))
        return object(members)
    }

    private static func propertyMembers(_ message: MQTTClient.Message) -> [(String, String)] {
        let properties = message.properties
        var members: [(String, String)] = []
        if let value = properties.payloadFormatIndicator { members.append(("payload-format-indicator", String(value))) }
        if let value = properties.messageExpiryInterval { members.append(("message-expiry-interval", String(value))) }
        if let value = properties.contentType { members.append(("content-type", quoted(value))) }
        if let value = properties.responseTopic { members.append(("response-topic", quoted(value))) }
        if let value = properties.correlationData {
            members.append(("correlation-data", quoted(String(decoding: value, as: UTF8.self))))
        }
        let userProperties = properties.userProperties.map { "{\(quoted($0.name)):\(quoted($0.value))}" }
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
        "{" + members.map { "\(quoted($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    }

    /// A string as JSON writes it.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
