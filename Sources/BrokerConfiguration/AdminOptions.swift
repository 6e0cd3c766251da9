import BackboneSQLite
package import TransportModel

/// How a broker is looked after: where it answers over HTTP, to whom, and within which bounds.
package struct AdminOptions: Sendable, Hashable {
    /// Where it answers; nil: over `admin.sock` in the data directory if there is one, else nowhere. Empty: nowhere.
    package var listeners: [AdminAddress]?
    /// File with the token that a request over TCP has to show; without one such requests get health and metrics only.
    package var tokenFile: String?
    /// Where `drain` sends 5.0 clients, unless it is told something else: the Server Reference of 5.0 section 4.13.2.
    package var serverReference: String?
    /// Connections that `drain` closes in a second, unless it is told something else.
    package var drainRate = 500

    // MARK: Bounds

    /// Connections at the same time, for each address. Further ones wait to be accepted.
    package var maximumConnections = 64
    /// Bytes of a request's header, and of its body.
    package var maximumRequestSize = 1 << 16
    /// Time for a request, from its header to its answer; then it is answered with 503.
    package var requestTimeout = Duration.seconds(10)
    /// Time that a connection may be without a request.
    package var idleTimeout = Duration.seconds(30)

    package init() {}
}

/// Where a broker answers its operators: `HOST:PORT`, or `unix:PATH` for a Unix socket.
package enum AdminAddress: Sendable, Hashable, CustomStringConvertible {
    case network(ListenAddress)
    case unix(path: String)

    /// A text that is no such address; says what one looks like.
    package struct Malformed: Error, CustomStringConvertible {
        package let description: String

        init(_ text: String) {
            description =
                "\"\(text)\" is not an address for the administration: write HOST:PORT, for example 127.0.0.1:9883, or "
                + "unix:PATH; it speaks plain HTTP, so let a proxy add TLS"
        }
    }

    package init(parsing text: String) throws(Malformed) {
        guard let address = try? ListenAddress(parsing: text), address.transport == .tcp else { throw Malformed(text) }
        switch address.endpoint {
        case .network: self = .network(address)
        case .unix(let path): self = .unix(path: path)
        }
    }

    package var description: String {
        switch self {
        case .network(let address): "\(address)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension BrokerSettings {
    /// Where the broker answers its operators, with what stands for no setting.
    package var adminListeners: [AdminAddress] {
        if let listeners = admin.listeners { return listeners }
        guard !store.directory.isEmpty,
            let address = try? AdminAddress(parsing: "unix:" + Self.adminSocket(inDirectory: store.directory))
        else { return [] }
        return [address]
    }

    /// The Unix socket of a broker with a data directory.
    package static func adminSocket(inDirectory directory: String) -> String {
        directory.hasSuffix("/") ? directory + "admin.sock" : directory + "/admin.sock"
    }
}
