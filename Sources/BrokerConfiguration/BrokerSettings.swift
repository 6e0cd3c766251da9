package import BackboneSQLite
package import BrokerCore
package import MQTTBridge
package import TransportModel

/// Everything an operator can decide about a broker: what the configuration file and the command line fill in. A fresh
/// value holds the defaults.
package struct BrokerSettings: Sendable {
    /// Where to listen when nothing else is said.
    package static let defaultListener = Listener(host: "127.0.0.1", port: 1883)

    /// Addresses to listen on that have the default options.
    package var addresses = [Self.defaultListener.address]
    /// What a listener asks of its connections unless its own section says something else.
    package var listenerDefaults = ListenerOptions()
    /// The listeners that have a section of their own, with its name, in the order of the file.
    package var namedListeners: [Listener] = []
    /// The links to other brokers, in the order of the file.
    package var bridges: [BridgeOptions] { bridgeSections.bridges(defaults: bridgeDefaults) }
    /// What their sections say.
    var bridgeSections = BridgeSections()
    /// What holds for a bridge unless its own section says something else.
    package var bridgeDefaults = BridgeOptions(name: "")
    /// Where each key was written, for what is found out later.
    package var lines: [String: Int] = [:]
    /// Whether a listener that other machines can reach may take clients that nobody has checked.
    package var allowsAnonymous = false
    package var logLevel = LogLevel.info
    package var logFormat = LogFormat.text
    /// Event loops, each with a thread and a shard of the sessions; nil: one for each CPU the process may run on.
    package var shardCount: Int?
    /// Limits and the choices that the standard leaves to a server.
    package var options = BrokerOptions()
    /// Who may connect and do what.
    package var access = AccessSettings()
    /// What outlives the process, and where; without a directory (an empty one) nothing does.
    package var store = StoreOptions(directory: "")

    /// Who a node of a flock is to the servers.
    package var nats = NATSSettings()

    /// How the broker is looked after.
    package var admin = AdminOptions()

    package init() {}

    /// Everything to listen on.
    package var listeners: [Listener] {
        addresses.map { Listener($0, options: listenerDefaults) } + namedListeners
    }
}

/// How an entry of the log is written: as a line for people, or as a JSON object in a line.
package enum LogFormat: String, Sendable, CaseIterable {
    case text, json
}

/// How much is logged: this level and the ones after it. The names are swift-log's.
package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}
