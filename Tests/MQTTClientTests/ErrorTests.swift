import NIOCore
import NIOPosix
import Testing

@testable import MQTTClient

/// What a caller is told when it does not work.
@Suite struct ErrorTests {
    private func connectError(
        _ port: Int, _ change: (inout MQTTClient.Configuration) -> Void = { _ in }
    ) async throws -> MQTTClientError {
        var configuration = MQTTClient.Configuration(host: "127.0.0.1", port: port)
        change(&configuration)
        let client = MQTTClient(configuration: configuration)
        return try #require(await #expect(throws: MQTTClientError.self) { try await client.connect() })
    }

    /// A port that nobody listens on: bound a moment ago.
    private func unusedPort() async throws -> Int {
        let server = try await ScriptedServer(answering: [])
        await server.stop()
        return server.port
    }

    @Test func nobodyListens() async throws {
        let port = try await unusedPort()
        let error = try await connectError(port)
        #expect(error.code == .hostUnreachable)
        #expect(error.message == "127.0.0.1:\(port) refused the connection: is a broker listening there?")
    }

    @Test func unknownHost() async throws {
        let error = try await connectError(1) { $0.host = "no-such-host.invalid" }
        #expect(error.code == .hostUnreachable)
        #expect(error.message.contains("no-such-host.invalid"))
    }

    @Test func refusalHasTheReasonCode() async throws {
        let server = try await ScriptedServer(answering: [0x20, 0x03, 0x00, 0x87, 0x00])
        let error = try await connectError(server.port)
        #expect(error.code == .connectionRefused)
        #expect(error.reasonCode == .notAuthorized)
        #expect(error.message.contains("check user name and password"))
        await server.stop()
    }

    @Test func returnCodeOf3HasTheSameMeaning() async throws {
        let server = try await ScriptedServer(answering: [0x20, 0x02, 0x00, 0x04])
        let error = try await connectError(server.port) { $0.version = .v3_1_1 }
        #expect(error.reasonCode == .badUserNameOrPassword)
        await server.stop()
    }

    @Test func serverThatDoesNotAnswer() async throws {
        let server = try await ScriptedServer(answering: [])
        let error = try await connectError(server.port) { $0.connectTimeout = .milliseconds(500) }
        #expect(error.code == .connectTimedOut)
        await server.stop()
    }

    @Test func serverThatSpeaksSomethingElse() async throws {
        let server = try await ScriptedServer(answering: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        let error = try await connectError(server.port)
        #expect(error.code == .protocolViolation)
        await server.stop()
    }

    @Test func configurationsThatContradictThemselves() async throws {
        let keptWithoutName = try await connectError(1) {
            $0.version = .v3_1_1
            $0.cleanStart = false
        }
        #expect(keptWithoutName.code == .invalidConfiguration)
        #expect(try await connectError(70_000).code == .invalidConfiguration)
    }

    @Test func topicsAndFiltersAreChecked() async throws {
        let client = MQTTClient(configuration: .init(host: "127.0.0.1"))
        await #expect { try await client.publish(topic: "a/#", text: "") } throws: {
            ($0 as? MQTTClientError)?.code == .invalidTopic
        }
        await #expect { try await client.subscribe(to: "a#") } throws: {
            ($0 as? MQTTClientError)?.code == .invalidFilter
        }
        await #expect { try await client.subscribe(to: "a") } throws: {
            ($0 as? MQTTClientError)?.code == .notConnected
        }
    }

    @Test func cancelledConnectEndsAtOnce() async throws {
        let server = try await ScriptedServer(answering: [])
        let client = MQTTClient(configuration: .init(host: "127.0.0.1", port: server.port))
        let connecting = Task { try await client.connect() }
        connecting.cancel()
        await #expect(throws: CancellationError.self) { try await connecting.value }
        await server.stop()
    }

    @Test func cancelledConnectEndsTheCallsThatWaitForIt() async throws {
        let server = try await ScriptedServer(answering: [])
        let client = MQTTClient(configuration: .init(host: "127.0.0.1", port: server.port))
        let connecting = Task { try await client.connect() }
        await client.engine.untilOpening()
        let publishing = Task { try await client.publish(topic: "t", text: "", qos: .atLeastOnce) }
        await client.engine.untilPublishing()
        connecting.cancel()
        await #expect { try await publishing.value } throws: { ($0 as? MQTTClientError)?.code == .closed }
        await server.stop()
    }

    @Test func cancelledIteratorEndsAtOnce() async throws {
        let client = MQTTClient(configuration: .init(host: "127.0.0.1"))
        let reading = Task { for try await _ in client.messages {} }
        reading.cancel()
        await #expect(throws: CancellationError.self) { try await reading.value }
    }
}

extension ClientEngine {
    /// Yields until `connect` has begun.
    fileprivate func untilOpening() async {
        while true {
            if case .idle = phase { await Task.yield() } else { return }
        }
    }

    /// Yields until a publication waits for its end.
    fileprivate func untilPublishing() async {
        while publishWaiters.isEmpty { await Task.yield() }
    }
}
