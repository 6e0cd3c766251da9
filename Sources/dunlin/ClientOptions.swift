import ArgumentParser
import Foundation
import MQTTClient

/// Where to connect and as whom: the options that `dunlin pub` and `dunlin sub` share, in the letters of mosquitto_pub
/// and mosquitto_sub.
struct ClientOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "Host to connect to.")
    var host = "localhost"

    @Option(name: .shortAndLong, help: "Port to connect to.")
    var port = 1883

    @Option(
        name: [.customShort("V"), .customLong("protocol-version")],
        help: ArgumentHelp("Protocol version: 5, 311 or 31; mqttv5, mqttv311 or mqttv31.", valueName: "version"),
        transform: { try ClientOptions.version($0) })
    var version = ProtocolVersion.v5_0

    @Option(
        name: [.customShort("i"), .customLong("id")],
        help: ArgumentHelp("Client identifier. Without one the server or the client chooses.", valueName: "id"))
    var clientIdentifier: String?

    @Option(
        name: [.customShort("I"), .customLong("id-prefix")],
        help: ArgumentHelp("Begins the client identifier, which the process number ends.", valueName: "prefix"))
    var clientIdentifierPrefix: String?

    @Option(
        name: [.customShort("k"), .customLong("keepalive")],
        help: ArgumentHelp("Keep alive; 0 turns it off.", valueName: "seconds"))
    var keepAlive: UInt16 = 60

    @Flag(
        name: [.customShort("c"), .customLong("disable-clean-session")],
        help: "Resume the session of this client identifier, and leave it at the server. Needs -i.")
    var keepsSession = false

    @Option(
        name: [.customShort("x"), .customLong("session-expiry"), .customLong("session-expiry-interval")],
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long the server keeps the session after the connection; -1 for ever. 5.0 only; without it for ever with "
                + "-c, else not at all.", valueName: "seconds"))
    var sessionExpiry: Int64?

    @Option(name: [.customShort("u"), .customLong("username")], help: ArgumentHelp("User name.", valueName: "name"))
    var userName: String?

    @Option(
        name: [.customShort("P"), .customLong("pw")],
        help: ArgumentHelp("Password. Other users of this machine may see it.", valueName: "password"))
    var password: String?

    @Option(
        name: .customLong("will-topic"),
        help: ArgumentHelp("What the server publishes to if the connection is lost.", valueName: "topic"))
    var willTopic: String?

    @Option(name: .customLong("will-payload"), help: ArgumentHelp("Payload of the will.", valueName: "text"))
    var willPayload: String?

    @Option(
        name: .customLong("will-qos"), help: ArgumentHelp("QoS of the will.", valueName: "qos"),
        transform: { try ClientOptions.qos($0) })
    var willQoS: QoS?

    @Flag(name: .customLong("will-retain"), help: "The will is retained.")
    var willRetain = false

    @Option(
        name: [.customShort("D"), .customLong("property")], parsing: .upToNextOption,
        help: ArgumentHelp(
            "Property of a packet: COMMAND NAME VALUE, such as `-D publish content-type text/plain`; a user-property has "
                + "a name and a value. May be repeated. 5.0 only.", valueName: "property"))
    var property: [String] = []

    @Option(
        name: [.customShort("M"), .customLong("max-inflight")],
        help: ArgumentHelp("QoS 1 and 2 messages under way at a time.", valueName: "n"))
    var maximumInflight: UInt16 = 64

    @Option(
        name: .customLong("connect-timeout"),
        help: ArgumentHelp("Time for a connection to be made.", valueName: "seconds"))
    var connectTimeout: UInt16 = 10

    @Flag(name: .customLong("no-reconnect"), help: "End when the connection is lost.")
    var neverReconnects = false

    @Flag(name: .shortAndLong, help: "Tell on standard error what happens.")
    var debug = false

    @Flag(name: .customLong("quiet"), help: "No messages on standard error.")
    var isQuiet = false

    func validate() throws {
        guard (1...65_535).contains(port) else { throw ValidationError("-p: \(port) is no port; give 1-65535.") }
        if clientIdentifier != nil, clientIdentifierPrefix != nil { throw ValidationError("Give -i or -I, not both.") }
        if keepsSession, clientIdentifier == nil {
            throw ValidationError("-c keeps the session of a client identifier: give one with -i.")
        }
        if let sessionExpiry {
            guard (-1...Int64(UInt32.max)).contains(sessionExpiry) else {
                throw ValidationError("-x: give seconds within 0-4294967295, or -1 for ever.")
            }
        }
        if willTopic == nil, willPayload != nil || willQoS != nil || willRetain {
            throw ValidationError("A will needs a topic: give --will-topic.")
        }
        if let willTopic, TopicName(willTopic) == nil {
            throw ValidationError("--will-topic: \"\(willTopic)\" is no topic to publish to.")
        }
        if password != nil, userName == nil, version < .v5_0 {
            throw ValidationError("-P needs -u before MQTT 5.0.")
        }
        let properties = try ClientProperties(arguments: property)
        if version < .v5_0 {
            if !properties.isEmpty { throw ValidationError("-D: there are no properties before MQTT 5.0; add -V 5.") }
            if sessionExpiry != nil {
                throw ValidationError("-x: there is no session expiry before MQTT 5.0; add -V 5.")
            }
        }
    }

    /// What the client library needs to know.
    func configuration() throws -> MQTTClient.Configuration {
        let properties = try ClientProperties(arguments: property)
        var configuration = MQTTClient.Configuration(host: host, port: port)
        configuration.version = version
        configuration.clientIdentifier =
            clientIdentifier ?? clientIdentifierPrefix.map { "\($0)\(ProcessInfo.processInfo.processIdentifier)" } ?? ""
        configuration.userName = userName
        configuration.password = password.map { Array($0.utf8) }
        configuration.keepAlive = .seconds(Int64(keepAlive))
        configuration.cleanStart = !keepsSession
        configuration.sessionExpiryInterval = sessionExpiryInterval
        configuration.connectTimeout = .seconds(Int64(max(connectTimeout, 1)))
        configuration.maximumInflightMessages = max(maximumInflight, 1)
        configuration.properties = properties[.connect]
        if let alias = properties[.publish].topicAlias { configuration.maximumOutboundTopicAliases = alias }
        if neverReconnects { configuration.reconnect = .never }
        configuration.will = willTopic.map { topic in
            MQTTClient.Will(
                topic: topic, payload: Array((willPayload ?? "").utf8), qos: willQoS ?? .atMostOnce,
                retain: willRetain, properties: properties[.will])
        }
        return configuration
    }

    private var sessionExpiryInterval: Duration {
        guard let sessionExpiry, sessionExpiry >= 0 else {
            return sessionExpiry == nil && !keepsSession ? .zero : .seconds(Int64(UInt32.max))
        }
        return .seconds(sessionExpiry)
    }

    static func qos(_ text: String) throws -> QoS {
        guard let number = UInt8(text), let qos = QoS(rawValue: number) else {
            throw ValidationError("\"\(text)\" is no QoS; give 0, 1 or 2.")
        }
        return qos
    }

    static func version(_ text: String) throws -> ProtocolVersion {
        switch text.lowercased() {
        case "5", "mqttv5", "5.0": return .v5_0
        case "311", "mqttv311", "3.1.1": return .v3_1_1
        case "31", "mqttv31", "3.1": return .v3_1
        default: throw ValidationError("-V: \"\(text)\" is no protocol version; give 5, 311 or 31.")
        }
    }
}
