import NIOCore
package import TransportModel
import Glibc

/// A listener that could not be bound.
package struct ListenerError: Error, Sendable, CustomStringConvertible {
    package let listener: Listener
    /// Why, and what to do.
    package let reason: String

    package init(listener: Listener, reason: String) {
        self.listener = listener
        self.reason = reason
    }

    init(listener: Listener, cause: any Error) {
        self.init(listener: listener, reason: Self.reason(for: cause))
    }

    package var description: String { "cannot listen on \(listener): \(reason)" }

    /// Whether this machine does not have the address, or its family.
    static func isAbsentAddress(_ error: IOError) -> Bool {
        error.errnoCode == EADDRNOTAVAIL || error.errnoCode == EAFNOSUPPORT
    }

    private static func reason(for cause: any Error) -> String {
        switch (cause as? IOError)?.errnoCode {
        case EADDRINUSE: "another process listens there; stop it or choose another port"
        case EACCES, EPERM: "not permitted; choose a port above 1023 or grant the right to bind to lower ones"
        case EADDRNOTAVAIL: "no interface of this machine has that address; choose one that `ip address` lists"
        case EAFNOSUPPORT: "this machine has no such address family; choose an address of another"
        default: "\(cause)"
        }
    }
}
