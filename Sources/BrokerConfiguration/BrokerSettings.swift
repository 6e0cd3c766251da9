package import BackboneSQLite
package import BrokerCore

/// Everything an operator can decide about a broker: what the configuration file and the command line fill in. A fresh
/// value holds the defaults.
package struct BrokerSettings: Sendable {
    /// Where to listen.
    package var listeners = [ListenAddress(host: "127.0.0.1", port: 1883)]
    /// Whether a listener that other machines can reach may take clients that nobody has checked.
    package var allowsAnonymous = false
    package var logLevel = LogLevel.info
    /// Event loops, each with a thread and a shard of the sessions; nil: one for each CPU the process may run on.
    package var shardCount: Int?
    /// Limits and the choices that the standard leaves to a server.
    package var options = BrokerOptions()
    /// Who may connect and do what.
    package var access = AccessSettings()
    /// What outlives the process, and where; without a directory (an empty one) nothing does.
    package var store = StoreOptions(directory: "")

    package init() {}
}

/// How much is logged: this level and the ones after it. The names are swift-log's.
package enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
}
