import BrokerTransport
import Logging
import Testing
import TransportModel

@Suite struct ListenerTests {
    private func server(_ listeners: Listener...) -> BrokerServer {
        BrokerServer(
            configuration: BrokerServerConfiguration(listeners: listeners, shardCount: 1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test func aPortInUseIsAnErrorThatNamesIt() async throws {
        try await withServer { address, _ in
            let second = server(.init(host: "127.0.0.1", port: 0), address)
            await #expect {
                try await second.run()
            } throws: { error in
                let text = (error as? ListenerError)?.description ?? ""
                return text.contains("127.0.0.1:\(address.port)") && text.contains("another process listens there")
            }
            await #expect(throws: ListenerError.self) { try await second.boundAddresses() }
        }
    }

    @Test func aNameWithoutAddressIsAnError() async throws {
        await #expect(throws: ListenerError.self) {
            try await server(.init(host: "no.such.host.invalid", port: 0)).run()
        }
    }

    @Test func everyListenerServes() async throws {
        let server = server(.init(host: "127.0.0.1", port: 0), .init(host: "localhost", port: 0))
        let run = Task { try await server.run() }
        let addresses = try await server.boundAddresses()
        #expect(addresses.count >= 2)
        for address in addresses {
            let client = try await TestClient.connect(address, "one")
            try await client.close()
        }
        server.requestShutdown()
        try await run.value
    }
}
