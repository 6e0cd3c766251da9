import AsyncHTTPClient
import Foundation
package import Logging
import MQTTModel
import NIOCore
import NIOHTTP1

/// Fetches a key set from a URL, again and again: keys are exchanged while the broker runs.
package struct TokenKeyFetcher: Sendable {
    private let url: String
    private let interval: Duration
    private let client: AccessHTTPClient
    private let provider: TokenProvider
    private let logger: Logger
    /// After a failure it is tried again sooner.
    private static let retryInterval = Duration.seconds(10)
    private static let timeout = TimeAmount.seconds(10)

    package init(
        url: String, interval: Duration, client: AccessHTTPClient, provider: TokenProvider, logger: Logger
    ) {
        self.url = url
        self.interval = interval
        self.client = client
        self.provider = provider
        self.logger = logger
    }

    /// Until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            let isFetched = await fetch()
            try? await Task.sleep(for: isFetched ? interval : min(interval, Self.retryInterval))
        }
    }

    /// Keeps the keys that are there when there is nothing better.
    ///
    /// - Returns: whether the keys were exchanged.
    package func fetch() async -> Bool {
        do {
            let response = try await client.client.execute(HTTPClientRequest(url: url), timeout: Self.timeout)
            guard response.status == .ok else {
                logger.warning("the key set is not to be had", metadata: ["status": "\(response.status.code)"])
                return false
            }
            let body = try await response.body.collect(upTo: 1 << 20)
            provider.replaceKeys(with: try await TokenKeys.keySet(json: Data(body.readableBytesView)))
            return true
        } catch {
            logger.warning("the key set is not to be had", metadata: ["reason": "\(error)"])
            return false
        }
    }
}
