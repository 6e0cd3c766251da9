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
