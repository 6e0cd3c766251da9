import Backbone
import BackboneSQLite
import Foundation
import MQTTModel
import Testing

@Suite("Restart")
struct RestartTests {
    @Test(arguments: 1...30)
    func whatSurvivesIsWhatTheReferenceHolds(seed: UInt64) throws {
        let fixture = StoreFixture()
        var reference = ReferenceStore(shardCount: 2)
        var commands = RandomCommands(seed: seed)
        for _ in 0..<4 {
            let store = try fixture.run()
            for _ in 0..<12 {
                fixture.clock.advance(milliseconds: .random(in: 0...3000, using: &commands.random))
                reference.now = fixture.clock.now
                let batch = (0..<Int.random(in: 1...20, using: &commands.random)).map { _ in commands.next() }
                for command in batch { reference.execute(command) }
                let answers = store.perform(batch)
                #expect(answers.allSatisfy { $0.outcome == .done })
            }
            store.stop()
            reference.endLife()
            expect(try fixture.reopened(), isHeldBy: reference)
        }
    }

    /// As far as the log goes: what is needed is there, what is there is right, and in order.
    private func expect(_ found: Snapshot, isHeldBy reference: ReferenceStore) {
        let expected = reference.snapshot
        #expect(found.sessions == expected.sessions)
        #expect(found.retained == expected.retained)
        #expect(found.sequences == found.sequences.sorted())
        #expect(reference.needed.isSubset(of: found.log.keys))
        for (sequence, text) in found.log { #expect(text == expected.log[sequence]) }
    }

    @Test(arguments: 1...10)
    func aKilledProcessLeavesWhatWasAnswered(seed: UInt64) throws {
        let fixture = StoreFixture()
        var reference = ReferenceStore(shardCount: 2)
        reference.now = fixture.clock.now
        var commands = RandomCommands(seed: seed)
        let store = try fixture.run()
        defer { store.stop() }
        for _ in 0..<5 {
            let batch = (0..<50).map { _ in commands.next() }
            for command in batch { reference.execute(command) }
            store.perform(batch)
            expect(try fixture.copyOfFiles().reopened(), isHeldBy: reference)
        }
    }

    /// A power cut tears the end off the write-ahead log.
    @Test(arguments: 1...10)
    func aTornWriteAheadLogLeavesAStateThatWas(seed: UInt64) throws {
        let fixture = StoreFixture()
        var reference = ReferenceStore(shardCount: 2)
        reference.now = fixture.clock.now
        var commands = RandomCommands(seed: seed)
        commands.trimsAreWanted = false
        let store = try fixture.run()
        defer { store.stop() }
        var states = [reference.snapshot]
        for _ in 0..<40 {
            let batch = (0..<3).map { _ in commands.next() }
            for command in batch {
                reference.execute(command)
                states.append(reference.snapshot)
            }
            store.perform(batch)
        }
        for _ in 0..<6 {
            let copy = try fixture.copyOfFiles()
            let wal = copy.directory + "/" + StoreOptions.fileName + "-wal"
            let data = try Data(contentsOf: URL(fileURLWithPath: wal))
            let length = Int.random(in: 0...data.count, using: &commands.random)
            try data.prefix(length).write(to: URL(fileURLWithPath: wal))
            let found = try copy.reopened()
            #expect(states.contains(found) || (found == Snapshot()), "cut at \(length) of \(data.count)")
        }
    }

    /// The longer it is, the more commits are there, and never one without those before it.
    @Test func aWriteAheadLogOfAnyLengthHoldsAPrefixOfTheCommits() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        defer { store.stop() }
        store.perform([.message(bytes: 9000)])
        for number in 2...8 { store.perform([.message(bytes: number * 700), .message(bytes: 10)]) }
        let copy = try fixture.copyOfFiles()
        let wal = URL(fileURLWithPath: copy.options.path + "-wal")
        let data = try Data(contentsOf: wal)
        let file = try Data(contentsOf: URL(fileURLWithPath: copy.options.path))
        var last = 0
        for length in stride(from: 0, through: data.count, by: 1031) {
            try file.write(to: URL(fileURLWithPath: copy.options.path))
            try data.prefix(length).write(to: wal)
            let count = try copy.reopened().sequences.count
            #expect(try copy.reopened().sequences == (0..<count).map { LogSequence($0 + 1) })
            #expect(count >= last, "cut at \(length): \(count) after \(last)")
            last = count
        }
        #expect(last >= 13)
    }

    /// P3: a message that did not fit, and a smaller one behind it that would.
    @Test func nothingIsTakenBehindWhatDidNotFit() throws {
        let fixture = StoreFixture()
        fixture.options.maximumFileBytes = 300 << 10
        let store = try fixture.run()
        defer { store.stop() }
        func append(_ size: Int, session: UInt32 = 1, knowing token: UInt64 = 0) -> BackboneCommand {
            let message = ApplicationMessage(topic: "t", payload: [UInt8](repeating: 1, count: size), qos: .atLeastOnce)
            var append = LogAppend(
                message: message, publisher: PublisherReference(shard: 0, session: session, generation: 1))
            append.isKept = true
            append.knownRefusal = BackboneToken(rawValue: token)
            return .append(append)
        }
        #expect(store.perform([append(10)]).map(\.outcome) == [.done])
        #expect(store.perform([append(400 << 10)]).map(\.outcome) == [.full])
        #expect(store.perform([append(10), append(10, session: 2)]).map(\.outcome) == [.full, .done])
        #expect(store.perform([append(10, knowing: 1)]).map(\.outcome) == [.done])
        #expect(store.perform([append(10)]).map(\.outcome) == [.done])
    }

    /// What was answered with `full` has left no trace, in the file and in what the writer remembers.
    @Test(arguments: 1...20)
    func aFullDiskLeavesWhatWasDone(seed: UInt64) throws {
        let fixture = StoreFixture()
        fixture.options.maximumFileBytes = 300 << 10
        var reference = ReferenceStore(shardCount: 2)
        reference.now = fixture.clock.now
        var commands = RandomCommands(seed: seed)
        commands.largestPayload = 3000
        var refused = 0
        for _ in 0..<2 {
            let store = try fixture.run()
            for _ in 0..<30 {
                let batch = (0..<20).map { _ in commands.next() }
                for (command, answer) in zip(batch, store.perform(batch)) {
                    if answer.outcome == .done { reference.execute(command) } else { refused += 1 }
                    #expect(answer.outcome == .done || answer.outcome == .full)
                    if let entry = answer.entry, entry.sequence > 0 {
                        #expect(entry.sequence == reference.lastSequence)
                    }
                }
            }
            store.stop()
            expect(try fixture.reopened(), isHeldBy: reference)
        }
        #expect(refused > 0)
    }

    @Test func sequencesGoOnAfterTheLogWasEmptied() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        store.perform([.message(), .message(), .message()])
        store.perform([.trim(shard: 0, through: 3), .trim(shard: 1, through: 3)])
        store.stop()
        #expect(try fixture.reopened().log.isEmpty)
        let again = try fixture.run()
        #expect(again.perform([.message()]).map { $0.entry?.sequence } == [4])
        again.stop()
    }

    /// A session and a will whose client is connected.
    private static let connected = BackboneCommand.store([
        .began(clientIdentifier: "c"),
        .connected(
            clientIdentifier: "c", expiryInterval: 60,
            will: Will(message: ApplicationMessage(topic: "w", payload: [1]), delayInterval: 5)),
    ])

    private func times(_ fixture: StoreFixture) throws -> [[UInt32?]] {
        let backbone = try fixture.open()
        defer { backbone.stop() }
        var found: [RestoredSession] = []
        try backbone.restore(session: { found.append($0) }, retained: { _, _ in }, entry: { _, _ in })
        return found.map { [$0.expiresIn, $0.willDueIn] }
    }

    /// [MQTT-3.1.2-23] and 5.0 section 3.1.3.2.2: from the end of the connection, which is that of the broker.
    @Test func whatWasConnectedCountsFromTheStop() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        store.perform([Self.connected])
        store.stop()
        fixture.clock.advance(milliseconds: 20_000)
        #expect(try times(fixture) == [[40, 0]])
        fixture.clock.advance(milliseconds: 20_000)
        #expect(try times(fixture) == [[20, 0]])
    }

    /// Nobody knows when that was after a crash: from the first start, and not from every one anew.
    @Test func whatWasConnectedCountsFromTheFirstStartAfterACrash() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        store.perform([Self.connected])
        var crashed = try fixture.copyOfFiles()
        store.stop()
        crashed.clock.advance(milliseconds: 3_600_000)
        for expected: [UInt32?] in [[60, 5], [57, 2], [54, 0], [51, 0]] {
            let again = try crashed.open()
            var found: [RestoredSession] = []
            try again.restore(session: { found.append($0) }, retained: { _, _ in }, entry: { _, _ in })
            #expect(found.map { [$0.expiresIn, $0.willDueIn] } == [expected])
            let next = try crashed.copyOfFiles()
            again.stop()
            crashed = next
            crashed.clock.advance(milliseconds: 3000)
        }
        let back = try crashed.run()
        back.perform([.store([.connected(clientIdentifier: "c", expiryInterval: 60, will: nil)])])
        let again = try crashed.copyOfFiles()
        back.stop()
        again.clock.advance(milliseconds: 3_600_000)
        #expect(try times(again) == [[60, nil]])
    }

    private static func wish(_ number: LogSequence) -> RetainedWish {
        RetainedWish(
            number: number, pattern: "#", options: SubscriptionOptions(maximumQoS: .exactlyOnce), identifier: 0)
    }

    /// The exchange of a retained message's copy is kept until its wish is fulfilled, whatever the cursor.
    @Test func theExchangeOfACopyIsKeptUntilItsWishIsFulfilled() throws {
        let fixture = StoreFixture()
        let first = LogSequence.wish(0)
        let topic = ExactText("t")
        let store = try fixture.run()
        store.perform([
            .message(),
            .store([
                .began(clientIdentifier: "c"), .connected(clientIdentifier: "c", expiryInterval: 60, will: nil),
                .wished(clientIdentifier: "c", Self.wish(first)), .wished(clientIdentifier: "c", Self.wish(.wish(1))),
                .sending(clientIdentifier: "c", SentExchange(sequence: first + 1), packetIdentifier: 7, topic: topic),
                .sending(
                    clientIdentifier: "c", SentExchange(sequence: .wish(1) + 1), packetIdentifier: 8, topic: topic),
                .advanced(clientIdentifier: "c", through: 1),
                .finished(clientIdentifier: "c", SentExchange(sequence: first + 1)),
            ]),
        ])
        store.perform([.store([.fulfilled(clientIdentifier: "c", wish: .wish(1))])])
        store.stop()
        let backbone = try fixture.open()
        defer { backbone.stop() }
        var found: [RestoredSession] = []
        try backbone.restore(session: { found.append($0) }, retained: { _, _ in }, entry: { _, _ in })
        #expect(found.map { $0.wishes.map(\.wish) } == [[Self.wish(first)]])
        #expect(found.map { $0.sent.map(\.packetIdentifier) } == [[7]])
        #expect(found.map { $0.sent.map(\.phase) } == [[.finished]])
        #expect(found.map { $0.sent.map(\.topic) } == [[topic]])
    }

    @Test func timeIsCountedWhileTheBrokerIsDown() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        let will = Will(message: ApplicationMessage(topic: "w", payload: [1]), delayInterval: 50)
        store.perform([
            .store([
                .began(clientIdentifier: "c"), .connected(clientIdentifier: "c", expiryInterval: 60, will: will),
                .disconnected(clientIdentifier: "c", expiryInterval: 60, willDelay: 50),
            ])
        ])
        store.stop()
        for (elapsed, expiry, due) in [(10, 50, 40), (45, 5, 0), (100, 0, 0)] as [(Int64, UInt32, UInt32)] {
            fixture.clock.advance(milliseconds: elapsed * 1000)
            let backbone = try fixture.open()
            try backbone.restore(
                session: {
                    #expect($0.expiresIn == expiry)
                    #expect($0.willDueIn == due)
                }, retained: { _, _ in }, entry: { _, _ in })
            backbone.stop()
        }
    }

    @Test func aClockThatIsSetBackResurrectsNothing() throws {
        let fixture = StoreFixture()
        let store = try fixture.run()
        let message = ApplicationMessage(topic: "r", payload: [1], isRetained: true)
        message.expiryInterval = 10
        store.perform([.append(LogAppend(message: message, publisher: .none))])
        fixture.clock.advance(milliseconds: 20_000)
        store.stop()
        #expect(try fixture.reopened().retained.isEmpty)
        fixture.clock.advance(milliseconds: -100_000)
        #expect(try fixture.reopened().retained.isEmpty)
    }
}
