import Backbone
import BackboneSQLite
import MQTTModel
import Testing

@Suite("Reading back")
struct FetchTests {
    private func found(_ answer: Settled) -> [LogSequence] { answer.found?.map(\.sequence) ?? [] }

    @Test func aMessageComesBackAsItWas() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        defer { store.stop() }
        let message = ApplicationMessage(topic: "a/b", payload: [1, 2, 3], qos: .exactlyOnce, isRetained: true)
        message.expiryInterval = 100
        message.publisherHash = 7
        var append = LogAppend(message: message, publisher: .none)
        append.isKept = true
        store.perform([.append(append)])
        fixture.clock.advance(milliseconds: 30_000)
        let entry = try #require(store.perform([.fetch([1])]).first?.found?.first)
        #expect(entry.message !== message)
        #expect(entry.sequence == 1)
        #expect(entry.message.topicString == "a/b")
        #expect(entry.message.payload.elementsEqual([1, 2, 3]))
        #expect(entry.message.qos == .exactlyOnce)
        #expect(entry.message.isRetained)
        #expect(entry.message.publisherHash == 7)
        // What is left of it.
        #expect(entry.message.expiryInterval == 70)
    }

    @Test func whatHasBeenTrimmedIsNotFound() throws {
        let fixture = StoreFixture()
        fixture.options.shardCount = 1
        let store = try fixture.run()
        defer { store.stop() }
        store.perform((1...10).map { .message("\($0)") })
        store.perform([.trim(shard: 0, through: 4)])
        store.perform([.message("11")])
        #expect(found(store.perform([.fetch([1, 4, 5, 11, 12])])[0]) == [5, 11])
    }

    @Test func whatAShardWasToldCanBeReadAtOnce() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        defer { store.stop() }
        for number in 1...200 {
            let sequence = try #require(store.perform([.message("\(number)")]).first?.entry?.sequence)
            #expect(found(store.perform([.fetch([sequence])])[0]) == [sequence])
        }
    }

    @Test func manyReadsBesideManyCommitsAreAllAnswered() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        defer { store.stop() }
        store.perform((1...1000).map { .message("\($0)") })
        let commands = (0..<2000).map { number -> BackboneCommand in
            number.isMultiple(of: 2) ? .message("\(number)") : .fetch([LogSequence(number % 1000 + 1)])
        }
        let answers = store.perform(commands)
        #expect(answers.allSatisfy { $0.outcome == .done })
        #expect(answers.count { $0.found?.count == 1 } == 1000)
    }
}
