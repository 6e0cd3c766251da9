import NIOCore
import TransportModel

extension IPAddress {
    /// nil for anything but IP, as the other end of a Unix socket.
    init?(_ address: SocketAddress?) {
        guard let text = address?.ipAddress else { return nil }
        // An IPv6 address may have a scope behind it.
        self.init(parsing: String(text.prefix { $0 != "%" }))
    }
}
