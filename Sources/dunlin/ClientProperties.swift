import ArgumentParser
import MQTTClient

/// The properties that `-D COMMAND NAME VALUE` gives to the packets of a client, in the words of mosquitto_pub and
/// mosquitto_sub.
struct ClientProperties: Equatable {
    /// The packets that can be given properties, each with the names it takes.
    enum Command: String, CaseIterable {
        case connect, publish, subscribe, unsubscribe, disconnect, will

        var names: [String] {
            switch self {
            case .connect:
                [
                    "authentication-data", "authentication-method", "maximum-packet-size", "receive-maximum",
                    "request-problem-information", "request-response-information", "session-expiry-interval",
                    "topic-alias-maximum", "user-property",
                ]
            case .publish:
                [
                    "content-type", "correlation-data", "message-expiry-interval", "payload-format-indicator",
                    "response-topic", "topic-alias", "user-property",
                ]
            case .subscribe: ["subscription-identifier", "user-property"]
            case .unsubscribe: ["user-property"]
            case .disconnect: ["reason-string", "session-expiry-interval", "user-property"]
            case .will:
                [
                    "content-type", "correlation-data", "message-expiry-interval", "payload-format-indicator",
                    "response-topic", "user-property", "will-delay-interval",
                ]
            }
        }
    }

    private var properties: [Command: Properties] = [:]

    subscript(command: Command) -> Properties { properties[command] ?? [] }

    var isEmpty: Bool { properties.isEmpty }

    /// - Parameter arguments: what followed each `-D`, one after the other; a property may also be one argument with
    ///   spaces in it.
    init(arguments: [String]) throws {
        var rest = arguments[...]
        while let first = rest.popFirst() {
            guard let space = first.firstIndex(of: " ") else {
                try add(first, name: rest.popFirst(), takingValuesFrom: &rest)
                continue
            }
            let remainder = first[first.index(after: space)...]
            let name = remainder.prefix { $0 != " " }
            let values = remainder.dropFirst(name.count + 1)
            var parts: ArraySlice<String> =
                name == "user-property"
                ? values.split(separator: " ", maxSplits: 1).map(String.init)[...] : [String(values)]
            try add(String(first[..<space]), name: String(name), takingValuesFrom: &parts)
        }
    }

    private mutating func add(
        _ commandName: String, name: String?, takingValuesFrom rest: inout ArraySlice<String>
    ) throws {
        guard let command = Command(rawValue: commandName) else {
            let known = Command.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("-D: \"\(commandName)\" takes no properties; there are \(known).")
        }
        guard let name, command.names.contains(name) else {
            throw ValidationError(
                "-D: \(commandName) has no property \"\(name ?? "")\"; it has \(command.names.joined(separator: ", "))."
            )
        }
        guard let value = rest.popFirst() else {
            throw ValidationError("-D \(commandName) \(name): the value is missing.")
        }
        let property: Property
        if name == "user-property" {
            guard let second = rest.popFirst() else {
                throw ValidationError("-D \(commandName) user-property: give a name and a value.")
            }
            property = .userProperty(name: value, value: second)
        } else {
            property = try ClientProperties.property(name, value, of: commandName)
        }
        properties[command, default: []].append(property)
    }

    private static func property(_ name: String, _ value: String, of command: String) throws -> Property {
        func number<Number: FixedWidthInteger>(_ range: ClosedRange<Number>) throws -> Number {
            guard let number = Number(value), range.contains(number) else {
                throw ValidationError(
                    "-D \(command) \(name): \"\(value)\" is not a whole number within "
                        + "\(range.lowerBound)-\(range.upperBound).")
            }
            return number
        }
        return switch name {
        case "authentication-data": .authenticationData(Array(value.utf8))
        case "authentication-method": .authenticationMethod(value)
        case "content-type": .contentType(value)
        case "correlation-data": .correlationData(Array(value.utf8))
        case "maximum-packet-size": .maximumPacketSize(try number(1...UInt32.max))
        case "message-expiry-interval": .messageExpiryInterval(try number(0...UInt32.max))
        case "payload-format-indicator": .payloadFormatIndicator(try number(0...1))
        case "reason-string": .reasonString(value)
        case "receive-maximum": .receiveMaximum(try number(1...UInt16.max))
        case "request-problem-information": .requestProblemInformation(try number(0...1))
        case "request-response-information": .requestResponseInformation(try number(0...1))
        case "response-topic": .responseTopic(value)
        case "session-expiry-interval": .sessionExpiryInterval(try number(0...UInt32.max))
        case "subscription-identifier": .subscriptionIdentifier(try number(1...268_435_455))
        case "topic-alias": .topicAlias(try number(1...UInt16.max))
        case "topic-alias-maximum": .topicAliasMaximum(try number(0...UInt16.max))
        case "will-delay-interval": .willDelayInterval(try number(0...UInt32.max))
        default: throw ValidationError("-D \(command): \"\(name)\" is not known.")
        }
    }
}
