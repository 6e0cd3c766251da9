import Foundation
import NATSClient
import NATSProtocol
import NATSServerKit
import NIOCore
import ProcessKit
import Testing

@Suite("NATS client: reconnecting", .timeLimit(.minutes(1)))
struct ReconnectTests {
    @Test func theConnectionComesBackWithItsSubscriptions() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of(server.url))
        let messages = try await client.messages("a")
        let events = await client.events()
        try await server.stop()
        try await server.start()
        for await event in events { if case .connected = event { break } }
        try await client.publish(ByteBuffer("1"), to: "a")
        #expect(await messages.first(1).map { String(buffer: $0.payload) } == ["1"])
        await client.close()
    }

    @Test func nobodyThereIsAnError() async throws {
        let client = await NATSClient(.of("nats://127.0.0.1:1"))
        await #expect(throws: NATSError.self) { try await client.connect() }
    }

    @Test func theNextServerIsTriedAtOnce() async throws {
        let server = try await NATSServer()
        let client = try await NATSClient.connected(.of("nats://127.0.0.1:1", server.url))
        await client.close()
    }

    @Test func aServerThatHangsIsLeft() async throws {
        let first = try await NATSServer()
        let second = try await NATSServer()
        var options = NATSOptions.of(first.url, second.url)
        // Long enough that a server which is only slow, on a busy machine, is not left before it is stopped.
        options.reconnect.pingInterval = .seconds(1)
        let client = try await NATSClient.connected(options)
        let events = await client.events()
        try first.process.signal(SIGSTOP)
        let seen = await events.first(2)
        try first.process.signal(SIGCONT)
        #expect(seen[0] == .disconnected(.silent))
        guard case .connected(let address, _) = seen[1] else {
            Issue.record("\(seen)")
            return
        }
        #expect(address == ServerAddress(second.url))
        await client.close()
    }
}
