import Foundation

/// The file of a Unix socket.
enum AdminSocket {
    /// Removes what a broker that ended badly has left; throws when somebody answers there.
    static func removeStale(at path: String) throws(AdminFailure) {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return }
        guard attributes[.type] as? FileAttributeType == .typeSocket else {
            throw AdminFailure(
                "cannot listen on unix:\(path) for the administration: there is a file that is no socket")
        }
        guard !isAnswered(path) else {
            throw AdminFailure("cannot listen on unix:\(path) for the administration: another broker does")
        }
        unlink(path)
    }

    /// Only this user may connect. Between the socket's beginning and this its permissions are those that the process's
    /// mask leaves, with the usual mask the same.
    static func restrict(_ path: String) { chmod(path, 0o600) }

    static func remove(_ path: String) { unlink(path) }

    private static func isAnswered(_ path: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
