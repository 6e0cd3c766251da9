import NIOCore
import TransportModel
import Glibc

/// The file of a Unix socket, which outlives the process that made it unless somebody removes it.
enum UnixSocketFile {
    /// Removes a socket that nobody listens on any more. Anything else at the path is left alone, and in the way.
    static func removeStale(for listener: Listener) throws {
        guard case .unix(let path) = listener.address.endpoint else { return }
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ListenerError(listener: listener, reason: "there is a file, and it is no socket")
        }
        guard !isListenedOn(path) else {
            throw ListenerError(listener: listener, reason: "another process listens there; stop it")
        }
        unlink(path)
    }

    static func remove(for listener: Listener) {
        if case .unix(let path) = listener.address.endpoint { unlink(path) }
    }

    private static func isListenedOn(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        guard let address = try? SocketAddress(unixDomainSocketPath: path) else { return false }
        return address.withSockAddr { connect(descriptor, $0, socklen_t($1)) } == 0 || errno == EACCES
    }
}
