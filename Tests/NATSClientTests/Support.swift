import NATSClient
import NATSProtocol
import NATSServerKit
import NIOCore
import Testing

extension NATSOptions {
    /// Of servers on loopback, which are tried in this order.
    static func of(_ urls: [String]) -> NATSOptions {
        var options = NATSOptions(servers: urls.compactMap(ServerAddress.init))
        options.isServerOrderRandom = false
        return options
    }

    static func of(_ urls: String...) -> NATSOptions { of(urls) }

    static func of(_ cluster: NATSCluster, first: Int = 0) -> NATSOptions {
        of(Array(cluster.urls[first...] + cluster.urls[..<first]))
    }
}

extension NATSClient {
    /// A connected client.
    static func connected(_ options: NATSOptions) async throws -> NATSClient {
        let client = await NATSClient(options)
        try await client.connect()
        return client
    }

    /// What arrives for a filter, from now on.
    func messages(_ filter: SubjectFilter, queueGroup: Subject? = nil) async throws -> AsyncStream<NATSMessage> {
        let (stream, continuation) = AsyncStream.makeStream(of: NATSMessage.self)
        let id = subscribe(filter, queueGroup: queueGroup) { continuation.yield($0) }
        try #require(id != nil)
        try #require(await flush())
        return stream
    }

    /// What happens to the connection, from now on.
    func events() -> AsyncStream<ConnectionEvent> {
        let (stream, continuation) = AsyncStream.makeStream(of: ConnectionEvent.self)
        _ = connection.addObserver { continuation.yield($0) }
        return stream
    }
}

extension AsyncStream {
    /// The first so many.
    func first(_ count: Int) async -> [Element] {
        var elements: [Element] = []
        guard count > 0 else { return [] }
        for await element in self {
            elements.append(element)
            if elements.count == count { break }
        }
        return elements
    }
}

extension ByteBuffer {
    init(_ text: String) { self.init(string: text) }
}
