import BrokerTransport
import MQTTModel
import Testing
import TransportModel

@Suite("Limits of a listener")
struct ListenerLimitTests {
    @Test func aConnectionAboveTheListenersBoundIsClosedAndOthersStay() async throws {
        try await withListener {
            $0.maximumConnections = 2
        } _: { address, server in
            let first = try await TestClient.connect(address, "first")
            let second = try await TestClient.connect(address, "second")
            try await TestClient.open(address).expectEnd()
            try await first.send(.pingReq)
            guard case .pingResp = try await first.next() else { throw TestClient.Failure(description: "no PINGRESP") }
            try await second.close()
            // Its place is free once the broker has seen the end.
            while server.listenerCounts()[0].counts.connections > 1 { await Task.yield() }
            try await TestClient.connect(address, "third").close()
            #expect(server.listenerCounts()[0].counts.refusedByConnections == 1)
        }
    }

    @Test func connectionsFasterThanTheRateAreClosed() async throws {
        try await withListener {
            $0.connectionRate = 1
        } _: { address, server in
            try await TestClient.connect(address, "first").close()
            while server.listenerCounts()[0].counts.refusedByRate == 0 { try await openAndClose(address) }
        }
    }

    @Test func connectionsOfOneAddressFasterThanItsRateAreClosed() async throws {
        try await withListener {
            $0.connectionRatePerAddress = 1
        } _: { address, server in
            try await TestClient.connect(address, "first").close()
            while server.listenerCounts()[0].counts.refusedByAddressRate == 0 { try await openAndClose(address) }
        }
    }

    private func openAndClose(_ address: Listener) async throws {
        // The broker may have closed it already.
        try? await TestClient.open(address).close()
    }

    @Test func aConnectionKeepsItsPlaceWhenItMovesToItsHomeShard() async throws {
        try await withListener(shardCount: 2) {
            $0.maximumConnections = 1
        } _: { address, server in
            let client = try await TestClient.connect(address, clientIdentifier(onShard: 1, of: 2))
            #expect(server.listenerCounts()[0].counts.connections == 1)
            try await TestClient.open(address).expectEnd()
            try await client.close()
            while server.listenerCounts()[0].counts.connections > 0 { await Task.yield() }
        }
    }

    @Test func aUnixSocketServesAndIsRemovedAtTheEnd() async throws {
        let path = "/tmp/dunlin-\(UInt64.random(in: 0...UInt64.max)).sock"
        let listener = Listener(ListenAddress(unixPath: path))
        for _ in 0..<2 {
            try await withServer(listener: listener, shardCount: 2) { address, _ in
                #expect(address.description == "unix:\(path)")
                let client = try await TestClient.connect(address, clientIdentifier(onShard: 1, of: 2))
                try await client.subscribe("a")
                try await client.publish("a", "over a file")
                #expect(try await client.nextPublish().payload == "over a file")
                await #expect(throws: ListenerError.self) {
                    try await withServer(listener: listener) { _, _ in }
                }
            }
        }
    }

    private func withListener(
        shardCount: Int = 1, _ options: (inout ListenerOptions) -> Void,
        _ body: (Listener, BrokerServer) async throws -> Void
    ) async throws {
        var listener = Listener(host: "127.0.0.1", port: 0)
        options(&listener.options)
        try await withServer(listener: listener, shardCount: shardCount) { try await body($0, $1) }
    }
}
