/// The servers to connect to, and whose turn it is.
struct ServerPool: Sendable {
    /// More than so many are not remembered.
    static let maximumServers = 64

    /// The order of trying them, the present one first.
    private var servers: [ServerAddress]
    /// Those the application named; the others come and go with the cluster.
    private let configured: [ServerAddress]
    /// How many of `servers` have been tried in this round.
    private var tried = 0

    init(_ configured: [ServerAddress]) {
        self.configured = configured
        servers = configured
    }

    var present: ServerAddress? { servers.first }
    var count: Int { servers.count }

    /// Puts the present one to the end. Whether there is one left in this round.
    mutating func advance() -> Bool {
        guard !servers.isEmpty else { return false }
        servers.append(servers.removeFirst())
        tried += 1
        return tried < servers.count
    }

    mutating func startRound() { tried = 0 }

    /// Takes over what the cluster says of its members, who use TLS if this one does.
    mutating func learn(_ addresses: [String], requiresTLS: Bool) {
        let members = addresses.prefix(ServerPool.maximumServers).compactMap(ServerAddress.init).map { address in
            ServerAddress(host: address.host, port: address.port, requiresTLS: requiresTLS)
        }
        guard !members.isEmpty, let present else { return }
        servers.removeAll { $0 != present && !configured.contains($0) && !members.contains($0) }
        for member in members where !servers.contains(where: { $0.host == member.host && $0.port == member.port }) {
            if servers.count < ServerPool.maximumServers { servers.append(member) }
        }
    }
}
