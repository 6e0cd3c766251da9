import Backbone
import MQTTModel
import Testing

/// What every engine promises, whatever it keeps.
@Suite("Contract")
struct ContractTests {
    private static func append(_ text: String, isKept: Bool = true) -> LogAppend {
        var append = LogAppend(
            message: ApplicationMessage(topic: "t", payload: Array(text.utf8), qos: .atLeastOnce), publisher: .none)
        append.isKept = isKept
        return append
    }

    @Test(arguments: EngineKind.allCases)
    func everyCommandIsAnsweredOnceInOrder(kind: EngineKind) throws {
        let engine = try kind.make()
        defer { engine.stop() }
        let commands: [BackboneCommand] = (0..<3000).map { number in
            switch number % 3 {
            case 0: .append(Self.append("\(number)"))
            case 1: .store([.began(clientIdentifier: "c\(number % 7)")])
            default: .trim(shard: 0, through: UInt64(number / 6))
            }
        }
        let answers = engine.perform(commands)
        #expect(answers.map(\.token) == Array(0..<3000))
        #expect(answers.allSatisfy { $0.outcome == .done })
    }

    @Test(arguments: EngineKind.allCases)
    func anAppendComesWithItsEntryAndNothingElseDoes(kind: EngineKind) throws {
        let engine = try kind.make()
        defer { engine.stop() }
        let answers = engine.perform([
            .store([]), .append(Self.append("a")), .append(Self.append("b", isKept: false)),
            .trim(shard: 0, through: 0),
        ])
        #expect(answers.map { $0.entry != nil } == [false, true, true, false])
        #expect(answers.compactMap { $0.entry?.message.payload.map { $0 } } == [Array("a".utf8), Array("b".utf8)])
    }

    @Test(arguments: EngineKind.allCases)
    func sequencesCountWhatIsKeptFromOneInOrderOfSubmission(kind: EngineKind) throws {
        let engine = try kind.make()
        defer { engine.stop() }
        var grouped = Self.append("for a group", isKept: false)
        grouped.groups = [SharedGroup(name: "g", pattern: "t")]
        let answers = engine.perform([
            .append(Self.append("1")), .append(Self.append("none", isKept: false)), .append(grouped),
            .append(Self.append("3")),
        ])
        #expect(answers.map { $0.entry?.sequence } == [1, 0, 2, 3])
    }

    @Test(arguments: EngineKind.allCases)
    func sequencesAreNotUsedAgainAfterATrim(kind: EngineKind) throws {
        let engine = try kind.make()
        defer { engine.stop() }
        _ = engine.perform([.append(Self.append("1")), .append(Self.append("2"))])
        _ = engine.perform([.trim(shard: 0, through: 2)])
        #expect(engine.perform([.append(Self.append("3"))]).map { $0.entry?.sequence } == [3])
    }

    @Test(arguments: EngineKind.allCases)
    func aFetchIsAnsweredWithWhatTheLogHasOfIt(kind: EngineKind) throws {
        let engine = try kind.make()
        defer { engine.stop() }
        _ = engine.perform((1...5).map { .append(Self.append("\($0)")) })
        let answers = engine.perform([.fetch([4, 2, 9]), .fetch([])])
        #expect(answers.map(\.outcome) == [.done, .done])
        #expect(answers.allSatisfy { $0.entry == nil })
        let found = answers.first?.found?.map {
            "\($0.sequence): \(String(decoding: $0.message.payload, as: UTF8.self))"
        }
        #expect(found == (kind == .inMemory ? [] : ["4: 4", "2: 2"]))
        #expect(answers.last?.found?.isEmpty == true)
    }

    @Test(arguments: EngineKind.allCases)
    func theEntryKeepsThePublisher(kind: EngineKind) throws {
        let engine = try kind.make()
        defer { engine.stop() }
        let publisher = PublisherReference(shard: 1, session: 2, generation: 3)
        let message = ApplicationMessage(topic: "t", payload: [], qos: .exactlyOnce)
        let answers = engine.perform([.append(LogAppend(message: message, publisher: publisher))])
        #expect(answers.first?.entry?.publisher == publisher)
        #expect(answers.first?.entry?.message === message)
    }

    @Test(arguments: EngineKind.allCases)
    func changesOfASessionThatIsNotKnownAreDone(kind: EngineKind) throws {
        let engine = try kind.make()
        defer { engine.stop() }
        let changes: [SessionChange] = [
            .advanced(clientIdentifier: "nobody", through: 7), .ended(clientIdentifier: "nobody"),
            .unsubscribed(clientIdentifier: "nobody", filter: "#", through: 1),
        ]
        #expect(engine.perform([.store(changes)]).map(\.outcome) == [.done])
    }
}
