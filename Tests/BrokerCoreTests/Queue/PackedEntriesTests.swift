import Backbone
import MQTTModel
import Testing

@testable import BrokerCore

@Suite("Entries of a queue")
struct PackedEntriesTests {
    private func entry(
        _ sequence: LogSequence, bytes: Int = 64, qos: QoS = .atLeastOnce, isShared: Bool = false
    ) -> QueuedEntry {
        QueuedEntry(
            sequence: sequence, byteCount: bytes, qos: qos, isRetained: false, isShared: isShared, holdsMessage: false)
    }

    @Test func anEntryIsSixteenBytes() { #expect(MemoryLayout<QueuedEntry>.stride == 16) }

    @Test(arguments: 0..<50)
    func whatGoesInComesOutInOrder(seed: Int) {
        var random = TestGenerator(state: UInt64(seed))
        var packed = PackedEntries()
        var model: [QueuedEntry] = []
        var sequence: LogSequence = 0
        for _ in 0..<2000 {
            if Int.random(in: 0..<100, using: &random) < 40, !model.isEmpty {
                #expect(packed.first == model.first)
                #expect(packed.removeFirst() == model.removeFirst())
            } else {
                sequence = nextSequence(after: sequence, &random)
                let isInLog = Int.random(in: 0..<4, using: &random) > 0
                var entry = QueuedEntry(
                    sequence: isInLog ? sequence : 0, byteCount: .random(in: 0..<3, using: &random) * 200_000,
                    qos: .atLeastOnce, isRetained: .random(using: &random), isShared: .random(using: &random),
                    holdsMessage: !isInLog)
                entry.identifierSet = .random(in: 0...2, using: &random) * (QueuedEntry.maximumIdentifierSet / 2)
                packed.append(entry)
                model.append(entry)
            }
            #expect(packed.count == model.count)
        }
        #expect(Array(packed) == model)
    }

    private func nextSequence(after sequence: LogSequence, _ random: inout TestGenerator) -> LogSequence {
        switch Int.random(in: 0..<10, using: &random) {
        case 0: .random(in: 1...LogSequence.firstCopy, using: &random)
        case 1: max(1, sequence / 2)
        case 2: sequence + .random(in: 60...64, using: &random)
        case 3: sequence + 1_000_000
        default: sequence + 1
        }
    }

    /// 16 bytes a message, the spare room of the array included.
    @Test(arguments: [1, 7, 1000, 10_000], [100, 1000])
    func anEntryCostsFewerBytesThanItHas(distance: Int, count: Int) {
        let queue = SessionQueue()
        let message = ApplicationMessage(topic: "t", payload: [])
        for number in 1...count {
            let bytes = 60 + number % 3
            _ = queue.append(
                entry(LogSequence(number * distance), bytes: bytes), message, identifiers: [1], of: QueueTotal())
        }
        #expect(queue.capacity < count * 16)
        queue.checkInvariants()
    }

    @Test func setsOfIdentifiersAreKeptOnceAndGivenBack() {
        var sets = IdentifierSets()
        let first = sets.use([1, 2])
        #expect(sets.use([]) == 0)
        #expect(sets.use([3]) != first)
        #expect(sets.use([1, 2]) == first)
        #expect(sets.count == 2)
        sets.release(first ?? 0)
        #expect(sets[first ?? 0] == [1, 2])
        sets.release(first ?? 0)
        #expect(sets.count == 1)
        #expect(sets.use([9]) == first)
    }

    @Test func sumsFollowTheEntries() {
        let queue = SessionQueue()
        let message = ApplicationMessage(topic: "t", payload: [1])
        let copy = QueuedEntry(
            sequence: 0, byteCount: 2, qos: .atMostOnce, isRetained: true, isRetainedCopy: true, holdsMessage: true)
        let plain = QueuedEntry(sequence: 0, byteCount: 2, qos: .atMostOnce, isRetained: false, holdsMessage: true)
        let entries = [copy, plain, entry(3, isShared: true), entry(5), entry(8, qos: .exactlyOnce)]
        for entry in entries { #expect(queue.append(entry, message, identifiers: [], of: QueueTotal())) }
        #expect(queue.byteCount == 194)
        #expect(queue.retainedCount == 1)
        #expect(queue.qosZeroCount == 1)
        #expect(queue.firstOwnSequence == 5)
        for _ in 1..<entries.count {
            queue.removeFirst()
            queue.checkInvariants()
        }
        queue.removeFirst()
        #expect(queue.isEmpty)
        #expect(queue.firstOwnSequence == 0)
        #expect(queue.firstHeld == nil)
    }
}
