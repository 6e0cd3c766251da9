import Testing

@testable import TopicIndex

@Suite struct IndexTableTests {
    @Test("Elements are found through insertions and removals, also when all hashes collide", arguments: [1, 7, 1000])
    func churn(hashCount: UInt64) {
        var table = IndexTable()
        var present: Set<UInt32> = []
        var random = SeededGenerator(seed: hashCount)
        for _ in 0..<5000 {
            let index = UInt32.random(in: 1...200, using: &random)
            // Some hashes lie at the end of the table, so that runs wrap round.
            let hash = UInt64.max - UInt64(index) % hashCount
            if present.remove(index) != nil {
                table.remove(hash, index: index)
            } else {
                table.insert(hash, index: index)
                present.insert(index)
            }
            #expect(table.count == present.count)
            let other = UInt32.random(in: 1...200, using: &random)
            let found = table.find(UInt64.max - UInt64(other) % hashCount) { $0 == other }
            #expect(found == (present.contains(other) ? other : nil))
        }
    }

    @Test("Sorted chunks stay sorted and in proportion")
    func chunks() {
        var chunks = SortedChunks<Int>()
        var random = SeededGenerator(seed: 4)
        let numbers = (0..<5000).shuffled(using: &random)
        for number in numbers { chunks.insert(number, at: chunks.partitionPoint { $0 < number }) }
        #expect(chunks.chunks.flatMap { $0 } == Array(0..<5000))
        for number in numbers.dropLast(100) { chunks.remove(at: chunks.partitionPoint { $0 < number }) }
        #expect(chunks.chunks.flatMap { $0 } == numbers.suffix(100).sorted())
        #expect(chunks.chunks.allSatisfy { !$0.isEmpty && $0.count <= 512 })
        #expect(chunks.chunks.count == 1)
        for number in numbers.suffix(100) { chunks.remove(at: chunks.partitionPoint { $0 < number }) }
        #expect(chunks.isEmpty)
    }

    @Test("Bytes of every length to 40 hash and compare by all their bytes")
    func hashAndEquality() {
        let hasher = TopicHasher(seed: 1)
        var seen: Set<UInt64> = []
        for count in 0...40 {
            let bytes = (0..<count).map { UInt8($0) }
            seen.insert(bytes.withUnsafeBytes { hasher.hash($0) })
            for position in 0..<count {
                var other = bytes
                other[position] ^= 0x80
                seen.insert(other.withUnsafeBytes { hasher.hash($0) })
                let isEqual = bytes.withUnsafeBytes { left in other.withUnsafeBytes { left.equals($0) } }
                #expect(!isEqual)
            }
            let copy = bytes + []
            #expect(bytes.withUnsafeBytes { left in copy.withUnsafeBytes { left.equals($0) } })
        }
        #expect(seen.count == 41 + 40 * 41 / 2)
    }
}
