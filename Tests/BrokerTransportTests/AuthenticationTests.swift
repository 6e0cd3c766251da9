import AccessControl
import BrokerCore
import BrokerRuntime
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
            var gone: Set<String> = []
        }

        private let state = Mutex(State())

        func authenticate(
            _ request: AuthenticationRequest, answer: @escaping @Sendable (AuthenticationOutcome) -> Void
        ) {
            guard request.clientIdentifier.hasPrefix("slow") else {
                let grant = AccessGrant(userName: request.userName, credential: Credential(digest: 1))
                return answer(.allowed(grant))
            }
            let waiting = state.withLock { state in
                state.held.append(answer)
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }

        func stillHolds(_ credential: Credential, of userName: String) -> Bool {
            state.withLock { !$0.gone.contains(userName) }
        }

        /// What the user has proven itself by is taken away.
        func takeAway(_ userName: String) { state.withLock { _ = $0.gone.insert(userName) } }

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
        _ body: (Listener, HeldAuthenticator, BrokerServer) async throws -> Void
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
            result = .success(try await body(try await server.boundAddresses()[0], authenticator, server))
        } catch {
            result = .failure(error)
        }
        server.requestShutdown()
        try await run.value
        try result.get()
    }

    /// CONNECT, and what is sent behind it in the same segment, wait; the others on the same event loop do not.
    @Test func aClientThatWaitsKeepsNobodyWaiting() async throws {
        try await withServer { address, authenticator, _ in
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
        try await withServer { address, authenticator, _ in
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
        try await withServer(limits) { address, authenticator, _ in
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

    private func refusal(of client: TestClient) async throws -> ReasonCode {
        guard case .connAck(let connAck) = try await client.next() else {
            throw TestClient.Failure(description: "no CONNACK")
        }
        try await client.expectEnd()
        return connAck.reasonCode
    }

    /// A ban that comes while a client is checked is in time, also one on a name that the client has not said.
    @Test func whoIsBannedMeanwhileIsNotLetIn() async throws {
        try await withServer { address, authenticator, server in
            for ban in [BanList.Subject.userName(ExactText("proven")), .clientIdentifier(ExactText("slow"))] {
                let slow = try await TestClient.open(address, version: .v5_0)
                try await slow.send(.connect(Connect(version: .v5_0, clientIdentifier: "slow")))
                await authenticator.waitForRequest()
                #expect(try await server.ban(BanList.Ban(ban, for: nil, reason: "")) == 0)
                authenticator.answerAll(.allowed(AccessGrant(userName: "proven")))
                #expect(try await refusal(of: slow) == .banned)
                #expect(server.bans.remove(ban))
            }
        }
    }

    /// What is taken away while a client is checked, or later, it does not have.
    @Test func whoseCredentialIsTakenAwayIsDisconnected() async throws {
        try await withServer { address, authenticator, server in
            var clients: [TestClient] = []
            for name in ["removed", "kept"] {
                let client = try await TestClient.open(address, version: .v5_0)
                try await client.send(
                    .connect(Connect(version: .v5_0, clientIdentifier: name, userName: name)))
                guard case .connAck(let connAck) = try await client.next(), connAck.reasonCode == .success else {
                    throw TestClient.Failure(description: "not let in")
                }
                clients.append(client)
            }
            let slow = try await TestClient.open(address, version: .v5_0)
            try await slow.send(.connect(Connect(version: .v5_0, clientIdentifier: "slow")))
            await authenticator.waitForRequest()
            authenticator.takeAway("removed")
            #expect(try await server.disconnectRevoked() == 1)
            guard case .disconnect(let disconnect) = try await clients[0].next() else {
                throw TestClient.Failure(description: "no DISCONNECT")
            }
            #expect(disconnect.reasonCode == .notAuthorized)
            authenticator.answerAll(.allowed(AccessGrant(userName: "removed", credential: Credential(digest: 1))))
            #expect(try await refusal(of: slow) == .notAuthorized)
            try await clients[1].send(.pingReq)
            guard case .pingResp = try await clients[1].next() else {
                throw TestClient.Failure(description: "the other is gone, too")
            }
        }
    }
}
