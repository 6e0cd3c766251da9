import Foundation
import ProcessKit
import Synchronization

/// Ports that were free a moment ago, for servers whose port has to be known before they start or after they were
/// stopped. They lie below those that the system gives to connections and to whoever asks for any port (32768 and up on
/// Linux), since one of these can be gone again before the server takes it.
package enum FreePorts {
    private static let range = 20000..<32000
    /// The next one to try: another start in every process, and never the same one twice in a process.
    private static let next = Mutex(Int.random(in: range))

    package static func take(_ count: Int) throws -> [Int] {
        var ports: [Int] = []
        for _ in range where ports.count < count {
            let port = next.withLock { next in
                defer { next = next + 1 < range.upperBound ? next + 1 : range.lowerBound }
                return next
            }
            if isFree(port) { ports.append(port) }
        }
        guard ports.count == count else { throw ChildProcess.Failure(description: "no free ports in \(range)") }
        return ports
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        address.sin_port = in_port_t(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
