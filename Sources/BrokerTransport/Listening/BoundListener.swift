import NIOCore
import TransportModel

/// An address that is listened on.
struct BoundListener: Sendable {
    let serving: ServingListener
    let channel: any Channel

    /// The listener with the port that the system chose.
    var listener: Listener {
        var listener = serving.listener
        if case .network = listener.address.endpoint, let local = channel.localAddress {
            listener.address.endpoint = .network(host: local.ipAddress ?? "", port: local.port ?? 0)
        }
        return listener
    }

    /// Takes no further connection.
    func close() async {
        try? await channel.close()
        UnixSocketFile.remove(for: serving.listener)
    }
}
