package import Logging
import ServiceLifecycle

/// The broker as a service: listeners and shards.
package final class BrokerServer: Service, Sendable {
    private let configuration: BrokerServerConfiguration
    private let logger: Logger

    package init(configuration: BrokerServerConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Binds all listeners, serves until graceful shutdown or `requestShutdown`, tells the clients, and returns when all
    /// connections are closed or `Limits.shutdownTimeout` is over. Called once.
    ///
    /// - Throws: `ListenerError` when a listener cannot be bound; nothing is served then.
    package func run() async throws {
    }

    /// The addresses that are listened on, in the order of the configuration, once they are bound.
    ///
    /// - Throws: what `run` throws when a listener cannot be bound.
    package func boundAddresses() async throws -> [BrokerServerConfiguration.Listener] {
        []
    }

    /// Begins the shutdown that graceful shutdown of the service group begins, too. Safe from any thread, any number
    /// of times.
    package func requestShutdown() {
    }
}
