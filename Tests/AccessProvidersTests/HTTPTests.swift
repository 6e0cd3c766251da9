import AccessControl
import Logging
import MQTTModel
import NIOHTTP1
import Testing

@testable import AccessProviders

@Suite("HTTP")
struct HTTPTests {
    private func request(_ userName: String? = "alice", _ password: String? = "secret") -> AuthenticationRequest {
        AuthenticationRequest(
            clientIdentifier: "c1", userName: userName, password: password.map { Array($0.utf8) },
            transport: TransportIdentity(address: "192.0.2.7"))
    }

    private func withProvider(
        _ change: (inout HTTPProviderOptions) -> Void = { _ in },
        answering answer: @escaping @Sendable (String, String) -> TestHTTPServer.Answer,
        _ body: (HTTPProvider, TestHTTPServer) async throws -> Void
    ) async throws {
        let server = try await TestHTTPServer.start(answer)
        let client = AccessHTTPClient()
        var options = HTTPProviderOptions(url: server.url + "/auth")
        change(&options)
        do {
            try await body(HTTPProvider(options, client: client, logger: Logger(label: "test")), server)
        } catch {
            Issue.record("\(error)")
        }
        await client.shutdown()
        await server.stop()
    }

    @Test func theServerIsToldWhatTheClientSays() async throws {
        try await withProvider(answering: { _, _ in .init(body: #"{"result": "deny"}"#) }) { provider, server in
            #expect(await provider.authenticate(request()).reason == .badUserNameOrPassword)
            let body = try #require(server.bodies.first)
            for part in [#""clientIdentifier":"c1""#, #""userName":"alice""#, #""password":"secret""#, "192.0.2.7"] {
                #expect(body.contains(part), "\(body)")
            }
        }
    }

    @Test func theAnswerGrants() async throws {
        let body = """
            {"result": "allow", "userName": "al", "groups": ["staff"], "rules": ["allow read a/#", "deny write b"],
             "expiresIn": 60}
            """
        try await withProvider(answering: { _, _ in .init(body: body) }) { provider, _ in
            let grant = try #require(await provider.authenticate(request()).grant)
            #expect(grant.userName == "al")
            #expect(grant.groups == ["staff"])
            #expect(grant.rules.map(\.description) == ["allow everyone read a/#", "deny everyone write b"])
            #expect(grant.lifetime == .seconds(60))
            #expect(!grant.isUnrestricted)
        }
    }

    @Test func aServerMayIgnoreAClient() async throws {
        try await withProvider(answering: { _, _ in .init(body: #"{"result": "ignore"}"#) }) { provider, _ in
            #expect(await provider.authenticate(request()).isIgnore)
        }
    }

    @Test func whoSaysNothingIsNotAskedAbout() async throws {
        try await withProvider(answering: { _, _ in .init() }) { provider, server in
            #expect(await provider.authenticate(request(nil, nil)).isIgnore)
            #expect(server.bodies.isEmpty)
        }
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"result": "yes"}"#, #"{"result": "allow", "rules": ["allow everything"]}"#,
        #"{"result": "allow", "expiresIn": -1}"#, #"{"result": "allow", "rules": "allow read #"}"#,
    ])
    func anAnswerThatIsNotUnderstoodLetsNobodyIn(_ body: String) async throws {
        try await withProvider(answering: { _, _ in .init(body: body) }) { provider, _ in
            #expect(await provider.authenticate(request()).reason == .serverUnavailable)
        }
    }

    @Test func aStatusSaysNoOrNothing() async throws {
        try await withProvider(answering: { _, _ in .init(status: .unauthorized) }) { provider, _ in
            #expect(await provider.authenticate(request()).reason == .badUserNameOrPassword)
        }
        try await withProvider(answering: { _, _ in .init(status: .internalServerError) }) { provider, _ in
            #expect(await provider.authenticate(request()).reason == .serverUnavailable)
        }
    }

    @Test func aServerThatDoesNotAnswerLetsNobodyIn() async throws {
        try await withProvider {
            $0.timeout = .milliseconds(200)
        } answering: { _, _ in
            .init(isSilent: true)
        } _: { provider, _ in
            #expect(await provider.authenticate(request()).reason == .serverUnavailable)
        }
    }

    @Test func answersAreRemembered() async throws {
        try await withProvider(answering: { _, _ in .init(body: #"{"result": "allow"}"#) }) { provider, server in
            for _ in 0..<3 { #expect(await provider.authenticate(request()).grant != nil) }
            #expect(server.bodies.count == 1)
            _ = await provider.authenticate(request("alice", "other"))
            #expect(server.bodies.count == 2)
        }
        try await withProvider {
            $0.remembering = .zero
        } answering: { _, _ in
            .init(body: #"{"result": "allow"}"#)
        } _: { provider, server in
            for _ in 0..<3 { #expect(await provider.authenticate(request()).grant != nil) }
            #expect(server.bodies.count == 3)
        }
    }

    @Test func aServerThatFailsIsLeftAloneForAWhile() async throws {
        try await withProvider {
            $0.maximumFailures = 2
            $0.pause = .seconds(1000)
        } answering: { _, _ in
            .init(status: .badGateway)
        } _: { provider, server in
            for _ in 0..<5 { #expect(await provider.authenticate(request()).reason == .serverUnavailable) }
            #expect(server.bodies.count == 2)
        }
    }

    @Test func theBreakerTriesOnceAndClosesAgain() {
        let start = ContinuousClock.now
        var breaker = CircuitBreaker(maximumFailures: 2, pause: .seconds(10))
        func allows(_ seconds: Int) -> Bool { breaker.allowsRequest(at: start + .seconds(seconds)) }
        #expect(allows(0))
        breaker.failed(at: start)
        #expect(allows(0))
        breaker.succeeded()
        for _ in 0..<2 {
            #expect(allows(0))
            breaker.failed(at: start)
        }
        #expect(!allows(9))
        #expect(allows(10))
        // One at a time.
        #expect(!allows(10))
        breaker.failed(at: start + .seconds(10))
        #expect(!allows(19))
        #expect(allows(20))
        breaker.succeeded()
        #expect(allows(20))
        #expect(allows(20))
    }

    @Test func theOldestAnswerGivesWay() {
        let now = ContinuousClock.now
        var answers = RecentAnswers<Int>(capacity: 2)
        let digests = (0..<3).map { CredentialDigest([[UInt8($0)]]) }
        for (number, digest) in digests.enumerated() {
            answers.insert(number, for: digest, validUntil: now + .seconds(1))
        }
        #expect(digests.map { answers.answer(for: $0, at: now) } == [nil, 1, 2])
        #expect(answers.answer(for: digests[2], at: now + .seconds(1)) == nil)
        for _ in 0..<100 { answers.insert(7, for: digests[1], validUntil: now + .seconds(1)) }
        #expect(answers.count <= 2)
        #expect(answers.answer(for: digests[1], at: now) == 7)
    }
}
