import AsyncHTTPClient

/// What asks servers over HTTP; one for all that do. Has to be shut down.
package final class AccessHTTPClient: Sendable {
    let client: HTTPClient

    package init() { client = HTTPClient(eventLoopGroupProvider: .singleton) }

    package func shutdown() async { try? await client.shutdown() }
}
