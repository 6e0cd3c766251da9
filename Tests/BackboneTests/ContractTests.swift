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
    func everyCommandIsAnsweredOnceInOrder(kind: EngineKind) async throws {
        let engine = try await kind.make()
        defer { engine.stop() }
        let commands: [BackboneCommand] = (0..<3000).map { number in
            switch number % 3 {
            case 0: .append(Self.append("\(number)"))
            case 1: .store([.began(clientIdentifier: "c\(number % 7)")])
            default: .trim(shard: 0, through: UInt64(number / 6))
            }
        }
        let answers = await engine.perform(commands)
        #expect(answers.map(\.token) == Array(0..<3000))
        #expect(answers.allSatisfy { $0.outcome == .done })
    }

    @Test(arguments: EngineKind.allCases)
    func anAppendComesWithItsEntryAndNothingElseDoes(kind: EngineKind) async throws {
        let engine = try await kind.make()
        defer { engine.stop() }
        let answers = await engine.perform([
            .store([]), .append(Self.append("a")), .append(Self.append("b", isKept: false)),
            .trim(shard: 0, through: 0),
        ])
        #expect(answers.map { $0.entry != nil } == [false, true, true, false])
        #expect(answers.compactMap { $0.entry?.message.payload.map { $0 } } == [Array("a".utf8), Array("b".utf8)])
    }

    @Test(arguments: EngineKind.allCases)
    func sequencesOfWhatIsKeptAscendInOrderOfSubmission(kind: EngineKind) async throws {
        let engine = try await kind.make()
        defer { engine.stop() }
        var grouped = Self.append("for a group", isKept: false)
        grouped.groups = [SharedGroup(name: "g", pattern: "t")]
        let answers = await engine.perform([
            .append(Self.append("1")), .append(Self.append("none", isKept: false)), .append(grouped),
            .append(Self.append("3")),
        ])
        let sequences = answers.compactMap { $0.entry?.sequence }
        #expect(sequences.map { $0 == 0 } == [false, true, false, false])
        let kept = sequences.filter { $0 > 0 }
        #expect(zip(kept, kept.dropFirst()).allSatisfy { $0 < $1 })
        #expect(kept.allSatisfy { $0 < .firstCopy })
    }

    @Test(arguments: EngineKind.allCases)
    func sequencesAreNotUsedAgainAfterATrim(kind: EngineKind) async throws {
        let engine = try await kind.make()
        defer { engine.stop() }
        let last =
            await engine.perform([.append(Self.append("1")), .append(Self.append("2"))]).last?.entry?.sequence ?? .max
        _ = await engine.perform([.trim(shard: 0, through: last)])
        let later = await engine.perform([.append(Self.append("3"))])
        #expect(later.allSatisfy { $0.entry?.sequence ?? 0 > last })
    }

    @Test(arguments: EngineKind.allCases)
    func aFetchIsAnsweredWithWhatTheLogHasOfIt(kind: EngineKind) async throws {
        let engine = try await kind.make()
        defer { engine.stop() }
        let sequences = await engine.perform((1...5).map { .append(Self.append("\($0)")) }).compactMap {
            $0.entry?.sequence
        }
        try #require(sequences.count == 5)
        let none = sequences[4] + 4
        let answers = await engine.perform([.fetch([sequences[3], sequences[1], none]), .fetch([])])
            .sorted { $0.token < $1.token }
        #expect(answers.map(\.outcome) == [.done, .done])
        #expect(answers.allSatisfy { $0.entry == nil })
        let found = answers.first?.found?.sorted { $0.sequence < $1.sequence }
        #expect(found?.map(\.sequence) == (kind == .inMemory ? [] : [sequences[1], sequences[3]]))
        let texts = found?.map { String(decoding: $0.message.payload, as: UTF8.self) }
        #expect(texts == (kind == .inMemory ? [] : ["2", "4"]))
        #expect(answers.last?.found?.isEmpty == true)
    }

    @Test(arguments: EngineKind.allCases)
    func theEntryKeepsThePublisher(kind: EngineKind) async throws {
        let engine = try await kind.make()
        defer { engine.stop() }
        let publisher = PublisherReference(shard: 1, session: 2, generation: 3)
        let message = ApplicationMessage(topic: "t", payload: [], qos: .exactlyOnce)
        let answers = await engine.perform([.append(LogAppend(message: message, publisher: publisher))])
        #expect(answers.first?.entry?.publisher == publisher)
        #expect(answers.first?.entry?.message === message)
    }

    @Test(arguments: EngineKind.allCases)
    func changesOfASessionThatIsNotKnownAreDone(kind: EngineKind) async throws {
        let engine = try await kind.make()
        defer { engine.stop() }
        let changes: [SessionChange] = [
            .advanced(clientIdentifier: "nobody", through: 7), .ended(clientIdentifier: "nobody"),
            .unsubscribed(clientIdentifier: "nobody", filter: "#", through: 1),
        ]
        let answers = await engine.perform([.store(changes)])
        #expect(answers.map(\.outcome) == [.done])
    }
}
