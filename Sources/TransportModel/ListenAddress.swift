/// An address to listen on with the transport that is spoken there, written as people write it: `127.0.0.1:1883`,
/// `tls://[::1]:8883`, `wss://broker.example:443`, `unix:/run/dunlin.sock`.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// What is spoken under MQTT.
    package enum Transport: String, Sendable, CaseIterable {
        case tcp, tls
        /// WebSocket.
        case ws
        /// WebSocket over TLS.
        case wss

        package var isEncrypted: Bool { self == .tls || self == .wss }
        package var isWebSocket: Bool { self == .ws || self == .wss }
    }

    package enum Endpoint: Sendable, Hashable {
        /// `host` is an IPv4 address, an IPv6 address without brackets, or a name; a name is listened on at every address
        /// it stands for. Port 0 lets the system choose.
        case network(host: String, port: Int)
        /// A Unix socket in the file system.
        case unix(path: String)
    }

    package var transport: Transport
    package var endpoint: Endpoint

    package init(transport: Transport = .tcp, host: String, port: Int) {
        self.transport = transport
        self.endpoint = .network(host: host, port: port)
    }

    package init(transport: Transport = .tcp, unixPath: String) {
        self.transport = transport
        self.endpoint = .unix(path: unixPath)
    }

    /// The port; 0 when there is none.
    package var port: Int { if case .network(_, let port) = endpoint { port } else { 0 } }

    /// The host, or the path of a Unix socket.
    package var host: String {
        switch endpoint {
        case .network(let host, _): host
        case .unix(let path): path
        }
    }

    package var description: String {
        let prefix = transport == .tcp ? "" : "\(transport.rawValue)://"
        switch endpoint {
        case .network(let host, let port):
            return prefix + (host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)")
        case .unix(let path): return "unix:\(path)"
        }
    }

    /// Whether only this machine can reach the address. A name other than localhost counts as reachable by others:
    /// what it stands for may change.
    package var isLoopback: Bool {
        guard case .network(let host, _) = endpoint else { return true }
        if host == "localhost" || host == "::1" { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return numbers.count == 4 && numbers[0] == 127 && numbers.allSatisfy { $0 != nil }
    }
}
