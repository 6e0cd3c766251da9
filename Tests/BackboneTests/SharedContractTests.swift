import Backbone
import MQTTModel
import NATSServerKit
import Testing

/// What an engine that several nodes share promises beyond the contract of all engines.
@Suite("Contract of an engine that nodes share", .timeLimit(.minutes(3)))
struct SharedContractTests {
    private static let client = "c"
    private static let exchange = ReceivedExchange(clientIdentifier: client, packetIdentifier: 7)

    /// Two nodes of which the first has the client, with a session that wants `t`.
    private static func withNodes(_ body: (NATSEngine, NATSEngine) async throws -> Void) async throws {
        let server = try await NATSServer()
        let nodes = [try await NATSEngine(server, node: "a"), try await NATSEngine(server, node: "b")]
        defer { for node in nodes { node.stop() } }
        for node in nodes { try await node.start() }
        let answers = await nodes[0].perform([.claim(clientIdentifier: client), .store(began), .store([subscribed])])
        #expect(answers.map(\.outcome) == [.done, .done, .done])
        #expect(answers[0].taken?.sessions.isEmpty == true)
        try await body(nodes[0], nodes[1])
    }

    private static let began: [SessionChange] = [
        .began(clientIdentifier: client), .connected(clientIdentifier: client, expiryInterval: 100, will: nil),
    ]
    private static let subscribed = SessionChange.subscribed(
        clientIdentifier: client, filter: "t", options: SubscriptionOptions(maximumQoS: .exactlyOnce), identifier: 0,
        since: 0, messagesWait: false)

    private static func append(_ text: String) -> LogAppend {
        var append = LogAppend(
            message: ApplicationMessage(topic: "t", payload: Array(text.utf8), qos: .exactlyOnce), publisher: .none)
        append.isKept = true
        return append
    }

    private static func texts(_ entries: [LogEntry]?) -> [String]? {
        entries?.map { String(decoding: $0.message.payload, as: UTF8.self) }
    }

    @Test("P1, P2: a claim brings the session, and what the log has for it can be read")
    func aClaimBringsTheSession() async throws {
        try await Self.withNodes { first, second in
            _ = await first.perform([.append(Self.append("1"))])
            let claim = await second.perform([.append(Self.append("2")), .claim(clientIdentifier: Self.client)])
            #expect(claim.map(\.outcome) == [.done, .done])
            let taken = claim.last?.taken
            #expect(taken?.sessions.map(\.clientIdentifier) == [Self.client])
            #expect(taken?.sessions.first?.subscriptions.map(\.filter) == ["t"])
            let found = await second.perform([.fetch(taken?.entries.map(\.sequence) ?? [])])
            #expect(Self.texts(found.first?.found) == ["1", "2"])
        }
    }

    @Test("P2: the node that had it is told")
    func theNodeThatHadItIsTold() async throws {
        try await Self.withNodes { first, second in
            _ = await second.perform([.claim(clientIdentifier: Self.client)])
            #expect(await first.told { $0.lost != nil }.lost == Self.client)
        }
    }

    @Test("P2: what it says of the session after that is a conflict, and nothing is done")
    func aNodeThatLostASessionChangesNothing() async throws {
        try await Self.withNodes { first, second in
            _ = await second.perform([.claim(clientIdentifier: Self.client)])
            var published = Self.append("late")
            published.received = Self.exchange
            let late = await first.perform([
                .store([
                    .subscribed(
                        clientIdentifier: Self.client, filter: "late",
                        options: SubscriptionOptions(maximumQoS: .atMostOnce),
                        identifier: 0, since: 0, messagesWait: false)
                ]),
                .append(published), .append(Self.append("its own")),
            ])
            #expect(late.map(\.outcome) == [.conflict, .conflict, .done])
            #expect(late.map { $0.entry == nil } == [true, true, false])
            let back = await first.perform([.claim(clientIdentifier: Self.client)]).first?.taken
            #expect(back?.sessions.first?.subscriptions.map(\.filter) == ["t"])
            #expect(back?.sessions.first?.received == [])
            let found = await first.perform([.fetch(back?.entries.map(\.sequence) ?? [])])
            #expect(Self.texts(found.first?.found) == ["its own"])
        }
    }

    @Test("P3: a message of one node comes to the other in the order of the log")
    func messagesComeToTheOtherNode() async throws {
        try await Self.withNodes { first, second in
            let own = await first.perform((1...100).map { .append(Self.append("\($0)")) }).compactMap(\.entry)
            var told: [LogEntry] = []
            while told.count < 100 {
                if let entry = await second.told({ $0.entry != nil }).entry { told.append(entry) }
            }
            #expect(Self.texts(told) == (1...100).map(String.init))
            #expect(told.map(\.sequence) == own.map(\.sequence))
            #expect(told.allSatisfy { $0.publisher == .remote })
        }
    }

    @Test("P1: sessions of a node that ends come to one that lives")
    func sessionsOfANodeThatEndsComeByThemselves() async throws {
        try await Self.withNodes { first, second in
            let kept = await first.perform([.append(Self.append("1"))]).compactMap { $0.entry?.sequence }
            first.stop()
            let taken = await second.told { $0.taken != nil }.taken
            #expect(taken?.sessions.map(\.clientIdentifier) == [Self.client])
            #expect(taken?.entries.map(\.sequence) == kept)
        }
    }
}
