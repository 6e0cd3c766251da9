import NIOCore
import TransportModel
import Glibc

/// The addresses a listener's host stands for. It waits for the resolver, so it is for the start of the process only.
enum AddressResolver {
    static func addresses(of listener: Listener) throws -> [SocketAddress] {
        guard case .network(let host, let port) = listener.address.endpoint else {
            return [try unixAddress(of: listener)]
        }
        guard (0...65_535).contains(port) else {
            throw ListenerError(listener: listener, reason: "a port is a number from 0 to 65535")
        }
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var first: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &first)
        guard status == 0 else {
            throw ListenerError(
                listener: listener,
                reason: "\(String(cString: gai_strerror(status))); give an address of this machine or a name of one")
        }
        defer { freeaddrinfo(first) }
        var addresses: [SocketAddress] = []
        var entry = first
        while let current = entry {
            if let address = address(of: current.pointee), !addresses.contains(address) { addresses.append(address) }
            entry = current.pointee.ai_next
        }
        return addresses
    }

    private static func address(of entry: addrinfo) -> SocketAddress? {
        guard let raw = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET: return SocketAddress(raw.loadUnaligned(as: sockaddr_in.self), host: "")
        case AF_INET6: return SocketAddress(raw.loadUnaligned(as: sockaddr_in6.self), host: "")
        default: return nil
        }
    }

    private static func unixAddress(of listener: Listener) throws -> SocketAddress {
        do {
            return try SocketAddress(unixDomainSocketPath: listener.address.host)
        } catch {
            throw ListenerError(listener: listener, reason: "the path is too long for a Unix socket")
        }
    }
}
