/// A sorted sequence in chunks of bounded length, so that an insertion or a removal moves one chunk's elements, however
/// long the sequence is: 100,000 sessions may come to one filter and leave it in any order.
///
/// What the order is, the owner says with each search.
struct SortedChunks<Element: Sendable>: Sendable {
    /// Elements of a chunk, at most.
    static var maximumChunkCount: Int { 512 }

    struct Position: Equatable, Sendable {
        fileprivate(set) var chunk: Int
        fileprivate(set) var offset: Int
    }

    private(set) var chunks: [[Element]] = []

    var isEmpty: Bool { chunks.isEmpty }

    var start: Position { Position(chunk: 0, offset: 0) }

    /// The element at `position`, nil at the end.
    @inline(__always)
    subscript(position: Position) -> Element? {
        guard position.chunk < chunks.count, position.offset < chunks[position.chunk].count else { return nil }
        return chunks[position.chunk][position.offset]
    }

    func position(after position: Position) -> Position {
        guard position.chunk < chunks.count, position.offset + 1 < chunks[position.chunk].count else {
            return Position(chunk: position.chunk + 1, offset: 0)
        }
        return Position(chunk: position.chunk, offset: position.offset + 1)
    }

    /// Where the first element lies for which `isBefore` is false.
    func partitionPoint(_ isBefore: (Element) -> Bool) -> Position {
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            // Chunks are never empty.
            if isBefore(chunks[middle][chunks[middle].count - 1]) { low = middle + 1 } else { high = middle }
        }
        guard low < chunks.count else { return Position(chunk: low, offset: 0) }
        let chunk = low
        low = 0
        high = chunks[chunk].count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(chunks[chunk][middle]) { low = middle + 1 } else { high = middle }
        }
        return Position(chunk: chunk, offset: low)
    }

    mutating func replace(at position: Position, with element: Element) {
        chunks[position.chunk][position.offset] = element
    }

    /// Inserts before the element at `position`.
    mutating func insert(_ element: Element, at position: Position) {
        guard position.chunk < chunks.count else { return append(element) }
        var position = position
        let count = chunks[position.chunk].count
        if count == Self.maximumChunkCount {
            let half = count / 2
            chunks.insert(Array(chunks[position.chunk][half...]), at: position.chunk + 1)
            chunks[position.chunk].removeSubrange(half...)
            if position.offset > half { position = Position(chunk: position.chunk + 1, offset: position.offset - half) }
        }
        chunks[position.chunk].insert(element, at: position.offset)
    }

    /// At the end, the last chunk is filled up rather than split: what comes in ascending order leaves full chunks.
    private mutating func append(_ element: Element) {
        if let last = chunks.indices.last, chunks[last].count < Self.maximumChunkCount {
            chunks[last].append(element)
        } else {
            chunks.append([element])
        }
    }

    mutating func remove(at position: Position) {
        let chunk = position.chunk
        chunks[chunk].remove(at: position.offset)
        if chunks[chunk].isEmpty {
            chunks.remove(at: chunk)
        } else {
            if chunk > 0 { mergeIfSmall(chunk - 1) }
            if chunk < chunks.count { mergeIfSmall(chunk) }
        }
    }

    /// Joins a chunk with the next when both are short, so that the number of chunks stays in proportion.
    private mutating func mergeIfSmall(_ chunk: Int) {
        guard chunk + 1 < chunks.count else { return }
        if chunks[chunk].count + chunks[chunk + 1].count <= Self.maximumChunkCount / 2 {
            chunks[chunk].append(contentsOf: chunks[chunk + 1])
            chunks.remove(at: chunk + 1)
        }
    }
}
