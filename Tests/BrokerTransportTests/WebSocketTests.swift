import BrokerCore
import BrokerRuntime
import BrokerTransport
import Testing
import TransportModel

/// WebSocket as a client on the network meets it. P8
@Suite("WebSocket")
struct WebSocketTests {
    /// CONNECT of 3.1.1 with clean session and the client identifier `w`.
    private static let connect: [UInt8] = [0x10, 0x0D, 0, 4, 0x4D, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x77]
    private static let connAck: [UInt8] = [0x82, 0x04, 0x20, 0x02, 0x00, 0x00]
    private static let pingReq: [UInt8] = [0xC0, 0x00]
    private static let pingResp: [UInt8] = [0x82, 0x02, 0xD0, 0x00]

    private func with(
        shardCount: Int = 1, _ options: (inout ListenerOptions) -> Void = { _ in },
        _ body: @Sendable (Listener, BrokerServer) async throws -> Void
    ) async throws {
        var listener = Listener(ListenAddress(transport: .ws, host: "127.0.0.1", port: 0))
        options(&listener.options)
        var limits = Limits()
        limits.closeTimeout = .milliseconds(200)
        try await withServer(listener: listener, shardCount: shardCount, limits, body)
    }

    private func upgraded(_ address: Listener) async throws -> ByteClient {
        let client = try await ByteClient.open(address)
        try await client.send(Array(Self.request.utf8))
        let answer = String(decoding: try await client.bytes(through: "\r\n\r\n"), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 101 "))
        return client
    }

    private static let request = """
        GET /any HTTP/1.1\r
        Host: localhost\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Protocol: mqtt\r
        \r\n
        """

    private func frame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
        let mask: [UInt8] = [1, 2, 3, 4]
        return [(isFinal ? 0x80 : 0) | opcode, 0x80 | UInt8(payload.count)] + mask
            + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    /// With four shards most connections move to another in the middle of a frame.
    @Test("[MQTT-6.0.0-2] frames split and join packets", arguments: [1, 4])
    func framesSplitAndJoinPackets(shardCount: Int) async throws {
        try await with(shardCount: shardCount) { address, _ in
            let client = try await upgraded(address)
            // Every byte in a frame of its own, all of them in two messages; then three packets in one frame.
            for (index, byte) in Self.connect.enumerated() {
                let isFinal = index == 6 || index == Self.connect.count - 1
                try await client.send(frame(index == 0 || index == 7 ? 2 : 0, [byte], isFinal: isFinal))
            }
            #expect(try await client.bytes(6) == Self.connAck)
            try await client.send(frame(2, Self.pingReq + Self.pingReq + [0xC0]) + frame(2, [0x00]))
            #expect(try await client.bytes(8) == [0x82, 0x06] + [0xD0, 0, 0xD0, 0, 0xD0, 0])
        }
    }

    @Test func everythingInOneSegmentIsTaken() async throws {
        try await with(shardCount: 2) { address, _ in
            let client = try await ByteClient.open(address)
            try await client.send(
                Array(Self.request.utf8) + frame(2, Self.connect + Self.pingReq) + frame(9, [7])
                    + frame(2, Self.pingReq))
            _ = try await client.bytes(through: "\r\n\r\n")
            let rest = try await client.bytes(3 + 2 + 8)
            #expect(Array(rest[..<3]) == [0x8A, 0x01, 0x07])
            #expect(Array(rest[3...]) == [0x82, 0x08, 0x20, 2, 0, 0, 0xD0, 0, 0xD0, 0])
        }
    }

    @Test("[MQTT-6.0.0-1] a text frame ends the connection with status 1003")
    func aTextFrameEndsTheConnection() async throws {
        try await with { address, _ in
            let client = try await upgraded(address)
            try await client.send(frame(2, Self.connect))
            #expect(try await client.bytes(6) == Self.connAck)
            try await client.send(frame(1, Self.pingReq))
            #expect(try await client.bytesToEnd() == [0x88, 0x02, 0x03, 0xEB])
        }
    }

    @Test func aFrameAboveTheBoundEndsTheConnection() async throws {
        try await with {
            $0.maximumFrameSize = 100
        } _: { address, _ in
            let client = try await upgraded(address)
            try await client.send([0x82, 0x80 | 101])
            try await client.send([0, 0, 0, 0])
            #expect(try await client.bytesToEnd() == [0x88, 0x02, 0x03, 0xF1])
        }
    }

    @Test func pingIsAnsweredAndCloseIsReturned() async throws {
        try await with { address, server in
            let client = try await upgraded(address)
            try await client.send(frame(2, Self.connect) + frame(9, Array("hello".utf8)))
            _ = try await client.bytes(6 + 7)
            try await client.send(frame(8, [0x03, 0xE8]))
            #expect(try await client.bytesToEnd() == [0x88, 0x02, 0x03, 0xE8])
            while try await server.metrics()[0].connections > 0 { await Task.yield() }
        }
    }

    @Test func theBrokersEndIsACloseFrame() async throws {
        try await with { address, _ in
            let client = try await upgraded(address)
            // A second CONNECT is a protocol error [MQTT-3.1.0-2].
            try await client.send(frame(2, Self.connect + Self.connect))
            #expect(try await client.bytesToEnd() == Self.connAck + [0x88, 0x02, 0x03, 0xE8])
        }
    }

    @Test func whatIsNoWebSocketGetsAnAnswer() async throws {
        try await with { address, server in
            let plain = try await ByteClient.open(address)
            try await plain.send(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
            let text = String(decoding: try await plain.bytesToEnd(), as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 426 Upgrade Required\r\n"))
            #expect(text.contains("\r\nUpgrade: websocket\r\n"))
            let raw = try await ByteClient.open(address)
            try await raw.send(Self.connect)
            #expect(String(decoding: try await raw.bytesToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 400 "))
            #expect(server.listenerCounts()[0].counts.handshakeFailures == 2)
        }
    }

    @Test func aRequestThatTakesTooLongIsCut() async throws {
        try await with {
            $0.handshakeTimeout = .milliseconds(100)
        } _: { address, server in
            let client = try await ByteClient.open(address)
            // On a busy machine the timeout may be first.
            try? await client.send(Array("GET / HT".utf8))
            #expect(try await client.bytesToEnd().isEmpty)
            #expect(server.listenerCounts()[0].counts.handshakeTimeouts == 1)
        }
    }

    @Test func handshakesAboveTheBoundAreClosedAndTheOthersGoOn() async throws {
        try await with {
            $0.maximumHandshakes = 1
        } _: { address, server in
            let slow = try await ByteClient.open(address)
            try await slow.send(Array("G".utf8))
            while server.listenerCounts()[0].counts.handshakes < 1 { await Task.yield() }
            #expect(try await ByteClient.open(address).bytesToEnd().isEmpty)
            try await slow.send(Array(Self.request.utf8.dropFirst()))
            _ = try await slow.bytes(through: "\r\n\r\n")
            // Its place is free with the end of the handshake.
            let other = try await upgraded(address)
            try await other.close()
        }
    }
}
