import NIOCore
import TransportModel

extension IPAddress {
    /// nil for anything but IP, as the other end of a Unix socket. An IPv4 address is one, also on a socket for IPv6.
    init?(_ address: SocketAddress?) {
        guard let text = address?.ipAddress else { return nil }
        // An IPv6 address may have a scope behind it.
        guard let address = IPAddress(parsing: String(text.prefix { $0 != "%" })) else { return nil }
        self = address.unmapped
    }
}
