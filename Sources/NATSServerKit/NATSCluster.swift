import Foundation
import ProcessKit

/// Three nats-servers on 127.0.0.1 that keep streams together.
package final class NATSCluster: Sendable {
    package let servers: [NATSServer]

    /// Starts the servers; there is a leader for JetStream when this returns.
    ///
    /// - Parameter configuration: put behind that of each server.
    package init(size: Int = 3, configuration: String = "") async throws {
        let ports = try FreePorts.take(2 * size)
        let routes = Array(ports[size...])
        let servers = try await withThrowingTaskGroup(of: (Int, NATSServer).self) { group in
            for index in 0..<size {
                group.addTask {
                    var options = NATSServer.Options()
                    options.name = "n\(index + 1)"
                    options.port = ports[index]
                    options.cluster = .init(port: routes[index], routes: routes)
                    options.configuration = configuration
                    return (index, try await NATSServer(options))
                }
            }
            return try await group.reduce(into: [(Int, NATSServer)]()) { $0.append($1) }
        }
        self.servers = servers.sorted { $0.0 < $1.0 }.map(\.1)
        for server in self.servers {
            try await server.process.line(containing: "metadata leader")
        }
    }

    package var urls: [String] { servers.map(\.url) }

    package func server(named name: String) throws -> NATSServer {
        guard let server = servers.first(where: { $0.name == name }) else {
            throw ChildProcess.Failure(description: "there is no server \(name)")
        }
        return server
    }
}

/// Ports that were free a moment ago. Members of a cluster have to know each other's before they start.
enum FreePorts {
    static func take(_ count: Int) throws -> [Int] {
        var descriptors: [CInt] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        return try (0..<count).map { _ in
            let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
            descriptors.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let status = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
                }
            }
            guard status == 0 else { throw ChildProcess.Failure(description: "no free port: errno \(errno)") }
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }
}
