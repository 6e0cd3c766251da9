/// Where a broker listens, and what it asks of the connections there.
package struct Listener: Sendable, Hashable, CustomStringConvertible {
    /// The name of its section in the configuration; nil when it has none.
    package var name: String?
    package var address: ListenAddress
    package var options: ListenerOptions

    package init(_ address: ListenAddress, name: String? = nil, options: ListenerOptions = ListenerOptions()) {
        self.name = name
        self.address = address
        self.options = options
    }

    /// A listener for plain TCP; port 0 lets the system choose.
    package init(host: String, port: Int) { self.init(ListenAddress(host: host, port: port)) }

    package var host: String { address.host }
    package var port: Int { address.port }

    /// Whether its connections begin with something else than MQTT.
    package var hasPreamble: Bool { address.transport != .tcp || !options.proxies.isEmpty }

    package var description: String { address.description }
}
