import Foundation
import Synchronization

/// Holds a data directory for one process: `flock` on a file in it, which the kernel lets go when the process ends,
/// however it ends. Not on the store's own file: SQLite's locks there would be lost when another descriptor is closed.
final class DirectoryLock: Sendable {
    /// -1 when it was let go.
    private let descriptor: Mutex<Int32>

    init(_ options: StoreOptions) throws(BackboneError) {
        let path = options.directory + "/" + StoreOptions.lockName
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw BackboneError(
                .directoryUnusable,
                "the data directory \(options.directory) cannot be written to (\(reason)); make it writable for the "
                    + "user that runs the broker, or name another")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw BackboneError(
                .inUse,
                "another broker works on the data directory \(options.directory); stop it, or give each its own")
        }
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }
}
