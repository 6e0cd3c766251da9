package import AccessControl

/// Where a connection comes from: what is known about a client before its CONNECT.
public final class ConnectionOrigin: Sendable {
    /// The listener that took it, by its section's name or its address; nil for a plain one.
    package let listener: String?
    /// The client's address and certificate, for whoever decides what it may do.
    package let transport: TransportIdentity
    /// The client's port; 0 where there is none.
    package let port: Int
    package let isEncrypted: Bool

    package init(listener: String?, transport: TransportIdentity, port: Int, isEncrypted: Bool = false) {
        self.listener = listener
        self.transport = transport
        self.port = port
        self.isEncrypted = isEncrypted
    }
}
