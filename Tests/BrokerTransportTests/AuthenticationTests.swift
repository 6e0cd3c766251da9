import AccessControl
import BrokerCore
import BrokerTransport
import Logging
import MQTTModel
import Synchronization
import Testing
import TransportModel

/// Checking clients over sockets: whoever waits for an answer keeps nobody else waiting.
@Suite struct AuthenticationTests {
    /// Keeps the requests of clients whose identifier begins with `slow` until the test answers them.
    private final class HeldAuthenticator: Authenticator {
        private struct State {
            var held: [@Sendable (AuthenticationOutcome) -> Void] = []
            var waiting: [CheckedContinuation<Void, Never>] = []
        }

        private let state = Mutex(State())

        func authenticate(
            _ request: AuthenticationRequest, answer: @escaping @Sendable (AuthenticationOutcome) -> Void
        ) {
            guard request.clientIdentifier.hasPrefix("slow") else {
                return answer(.allowed(AccessGrant(userName: request.userName)))
            }
            let waiting = state.withLock { state in
                state.held.append(answer)
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        /// Returns when a request is held.
        func waitForRequest() async {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.held.isEmpty { state.waiting.append(continuation) }
                    return !state.held.isEmpty
                }
                if isThere { continuation.resume() }
            }
        }

        func answerAll(_ outcome: AuthenticationOutcome) {
            let held = state.withLock { state in
                defer { state.held = [] }
                return state.held
            }
            for answer in held { answer(outcome) }
        }
    }

    private func withServer(
        _ limits: Limits = Limits(),
        _ body: (Listener, HeldAuthenticator) async throws -> Void
    ) async throws {
        var options = BrokerOptions()
        options.limits = limits
        options.statusInterval = .zero
        options.access = AccessPolicy(checksClients: true)
        var configuration = BrokerServerConfiguration(
            listeners: [.init(host: "127.0.0.1", port: 0)], shardCount: 1, options: options)
        let authenticator = HeldAuthenticator()
        configuration.authenticator = authenticator
        let server = BrokerServer(
            configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let run = Task { try await server.run() }
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(try await server.boundAddresses()[0], authenticator))
        } catch {
            result = .failure(error)
        }
        server.requestShutdown()
        try await run.value
        try result.get()
    }

    /// CONNECT, and what is sent behind it in the same segment, wait; the others on the same event loop do not.
    @Test func aClientThatWaitsKeepsNobodyWaiting() async throws {
        try await withServer { address, authenticator in
            let slow = try await TestClient.open(address)
            try await slow.send(
                .connect(Connect(version: .v3_1_1, clientIdentifier: "slow")), .publish(.test("t", [0x61])), .pingReq)
            await authenticator.waitForRequest()
            let quick = try await TestClient.connect(address, "quick")
            try await quick.subscribe("t")
            try await quick.publish("t", "from quick")
            #expect(try await quick.nextPublish() == ("t", "from quick"))
            authenticator.answerAll(.allowed(AccessGrant(userName: nil)))
            #expect(try await quick.nextPublish() == ("t", "a"))
            guard case .connAck = try await slow.next(), case .pingResp = try await slow.next() else {
                throw TestClient.Failure(description: "other answers")
            }
        }
    }

    /// Nothing behind a CONNECT that is refused is done [MQTT-3.1.4-6].
    @Test func aClientThatIsRefusedHasDoneNothing() async throws {
        try await withServer { address, authenticator in
            let watcher = try await TestClient.connect(address, "watcher")
            try await watcher.subscribe("t")
            let slow = try await TestClient.open(address, version: .v5_0)
            try await slow.send(.connect(Connect(version: .v5_0, clientIdentifier: "slow")), .publish(.test("t", [1])))
            await authenticator.waitForRequest()
            authenticator.answerAll(.denied(.badUserNameOrPassword))
            guard case .connAck(let connAck) = try await slow.next() else {
                throw TestClient.Failure(description: "no CONNACK")
            }
            #expect(connAck.reasonCode == .badUserNameOrPassword)
            try await slow.expectEnd()
            try await watcher.publish("t", "own")
            #expect(try await watcher.nextPublish() == ("t", "own"))
        }
    }

    @Test func anAuthenticatorThatDoesNotAnswerIsNotWaitedFor() async throws {
        var limits = Limits()
        limits.authenticationTimeout = .milliseconds(100)
        try await withServer(limits) { address, authenticator in
            let slow = try await TestClient.open(address, version: .v5_0)
            try await slow.send(.connect(Connect(version: .v5_0, clientIdentifier: "slow")))
            guard case .connAck(let connAck) = try await slow.next() else {
                throw TestClient.Failure(description: "no CONNACK")
            }
            #expect(connAck.reasonCode == .serverUnavailable)
            try await slow.expectEnd()
            // Too late, and for nobody.
            authenticator.answerAll(.allowed(AccessGrant(userName: nil)))
            _ = try await TestClient.connect(address, "next")
        }
    }
}
