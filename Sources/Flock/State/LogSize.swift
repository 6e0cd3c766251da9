/// How large the log is from a place on, to within a mark, and when it was there.
package struct LogSize: Sendable {
    struct Mark: Sendable, Hashable {
        let stream: UInt64
        /// Of the log before it.
        let bytes: UInt64
        /// Milliseconds since 1970.
        let writtenAt: UInt64
    }

    /// What a batch costs beside its records.
    package static let batchOverhead: UInt64 = 256
    /// Between two marks, unless an hour is shorter.
    private static let markBytes: UInt64 = 1 << 16
    private static let markMilliseconds: UInt64 = 3_600_000

    var marks = PartedDeque<Mark>()
    /// Of all that was added, from the beginning of the flock.
    var total: UInt64 = 0

    package init() {}

    mutating func add(_ byteCount: Int, at stream: UInt64, writtenAt: UInt64) {
        let last = marks.last
        if last.map({ total >= $0.bytes + LogSize.markBytes || writtenAt >= $0.writtenAt + LogSize.markMilliseconds })
            ?? true
        {
            marks.append(Mark(stream: stream, bytes: total, writtenAt: writtenAt))
        }
        total += UInt64(byteCount) + LogSize.batchOverhead
    }

    /// At least what lies at `stream` and behind it.
    package func bytes(from stream: UInt64) -> UInt64 {
        guard !marks.isEmpty else { return 0 }
        return total - marks[max(1, marks.firstIndex { $0.stream > stream }) - 1].bytes
    }

    /// The least place behind which at most so many bytes lie, nil if that is none.
    package func place(leaving bytes: UInt64) -> UInt64? {
        let index = marks.firstIndex { total - $0.bytes <= bytes }
        return index < marks.count ? marks[index].stream - 1 : marks.last?.stream
    }

    /// The last place that was certainly written before this time, nil if none was.
    package func place(writtenBefore time: UInt64) -> UInt64? {
        let index = marks.firstIndex { $0.writtenAt >= time }
        guard index > 0 else { return nil }
        return marks[index - 1].stream
    }

    /// What lies before `stream` is of no interest any more.
    mutating func forget(before stream: UInt64) {
        marks.removeFirst(max(1, marks.firstIndex { $0.stream > stream }) - 1)
    }
}
