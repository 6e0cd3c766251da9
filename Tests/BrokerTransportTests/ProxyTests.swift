import BrokerTransport
import BrokerCore
import Testing
import TransportModel

/// The PROXY protocol on the network.
@Suite("Behind a proxy")
struct ProxyTests {
    private static let connect: [UInt8] = [0x10, 0x0D, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x70]
    private static let connAck: [UInt8] = [0x20, 0x02, 0x00, 0x00]

    private func with(
        _ proxies: String, _ options: (inout ListenerOptions) -> Void = { _ in },
        _ body: @Sendable (Listener, BrokerServer) async throws -> Void
    ) async throws {
        var listener = Listener(host: "127.0.0.1", port: 0)
        listener.options.proxies = [try #require(AddressRange(parsing: proxies))]
        options(&listener.options)
        var limits = Limits()
        limits.closeTimeout = .milliseconds(200)
        try await withServer(listener: listener, shardCount: 2, limits, body)
    }

    @Test(arguments: [1, 4, 1000])
    func theHeaderComesBeforeTheConnect(piece: Int) async throws {
        try await with("127.0.0.0/8") { address, _ in
            let client = try await ByteClient.open(address)
            let bytes = Array("PROXY TCP4 192.0.2.1 192.0.2.2 51000 1883\r\n".utf8) + Self.connect
            for start in stride(from: 0, to: bytes.count, by: piece) {
                try await client.send(Array(bytes[start..<min(start + piece, bytes.count)]))
            }
            #expect(try await client.bytes(4) == Self.connAck)
        }
    }

    @Test func whoeverIsNotListedIsCut() async throws {
        try await with("192.0.2.0/24") { address, server in
            let client = try await ByteClient.open(address)
            #expect(try await client.bytesToEnd().isEmpty)
            #expect(server.listenerCounts()[0].counts.handshakeFailures == 1)
        }
    }

    @Test func aConnectionWithoutAHeaderIsCut() async throws {
        try await with("127.0.0.1") { address, _ in
            let client = try await ByteClient.open(address)
            try await client.send(Self.connect)
            #expect(try await client.bytesToEnd().isEmpty)
        }
    }

    @Test func aHeaderThatTakesTooLongIsCut() async throws {
        try await with("127.0.0.1") {
            $0.handshakeTimeout = .milliseconds(100)
        } _: { address, server in
            let client = try await ByteClient.open(address)
            // On a busy machine the timeout may be first.
            try? await client.send(Array("PROXY ".utf8))
            #expect(try await client.bytesToEnd().isEmpty)
            #expect(server.listenerCounts()[0].counts.handshakeTimeouts == 1)
        }
    }

    @Test func theRateIsOfTheClientsAddressAndNotOfTheProxys() async throws {
        try await with("127.0.0.1") {
            $0.connectionRatePerAddress = 1
        } _: { address, server in
            for number in 1...3 {
                let client = try await ByteClient.open(address)
                try await client.send(Array("PROXY TCP4 192.0.2.\(number) 192.0.2.99 1 2\r\n".utf8) + Self.connect)
                #expect(try await client.bytes(4) == Self.connAck)
            }
            #expect(server.listenerCounts()[0].counts.refusedByAddressRate == 0)
            // As often as it takes: on a busy machine a second may pass between two of them.
            while server.listenerCounts()[0].counts.refusedByAddressRate == 0 {
                let again = try await ByteClient.open(address)
                // The broker may have closed it already.
                try? await again.send(Array("PROXY TCP4 192.0.2.1 192.0.2.99 1 2\r\n".utf8) + Self.connect)
                try? await again.close()
            }
        }
    }
}
