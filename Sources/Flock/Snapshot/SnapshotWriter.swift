import Backbone
import MQTTModel

/// Writes a snapshot, a chunk at a time: a row of items, each behind its length, cut wherever a chunk is full.
package struct SnapshotWriter: Sendable {
    package static let version: UInt8 = 1

    /// What comes next.
    private enum Step: Sendable {
        case beginning
        case owners(part: Int)
        case sessions(part: Int)
        case assignments(part: Int)
        case topics(from: Int)
        case kept(from: Int)
        case retained(part: Int)
        case end
        case nothing
    }

    private let source: SnapshotSource
    private let chunkBytes: Int
    /// Milliseconds since 1970: what has expired by then is left out.
    private let now: UInt64
    private var step = Step.beginning
    private var pending: [UInt8] = []
    private var itemCount: UInt64 = 0

    /// - Parameter chunkBytes: of every chunk but the last.
    package init(_ source: SnapshotSource, chunkBytes: Int, now: UInt64) {
        self.source = source
        self.chunkBytes = max(1, chunkBytes)
        self.now = now
    }

    /// The next chunk; nil after the last one.
    package mutating func next() -> [UInt8]? {
        while pending.count < chunkBytes, advance() {}
        guard !pending.isEmpty else { return nil }
        let chunk = Array(pending.prefix(chunkBytes))
        pending.removeFirst(chunk.count)
        return chunk
    }

    private mutating func add(_ kind: UInt8, _ body: (inout RecordWriter) -> Void) {
        var item = RecordWriter()
        item.append(byte: kind)
        body(&item)
        var length = RecordWriter()
        length.append(UInt64(item.bytes.count))
        pending += length.bytes
        pending += item.bytes
        itemCount += 1
    }

    /// Entries, topics or parts of a table that one step writes.
    private static let entriesAtOnce = 1024

    /// - Returns: false when there is nothing more.
    private mutating func advance() -> Bool {
        switch step {
        case .beginning:
            writeBeginning()
            step = .owners(part: 0)
        case .owners(let part):
            for (client, node) in sorted(source.owners.parts[part]) {
                add(SnapshotKind.owner) { item in
                    item.append(client.string)
                    item.append(node.string)
                }
            }
            step = part + 1 < source.owners.parts.count ? .owners(part: part + 1) : .sessions(part: 0)
        case .sessions(let part):
            for (_, session) in sorted(source.sessions.parts[part]) {
                add(SnapshotKind.session) { $0.append(session) }
            }
            step = part + 1 < source.sessions.parts.count ? .sessions(part: part + 1) : .assignments(part: 0)
        case .assignments(let part):
            for (place, some) in source.assignments.parts[part].sorted(by: { $0.key < $1.key }) {
                add(SnapshotKind.assignments) { $0.append(some, at: place) }
            }
            step = part + 1 < source.assignments.parts.count ? .assignments(part: part + 1) : .topics(from: 0)
        case .topics(let first):
            let end = min(first + SnapshotWriter.entriesAtOnce, source.keptTopics.count)
            let topics = source.keptTopics
            for index in first..<end { add(SnapshotKind.topic) { $0.append(topics[index].string) } }
            step = end < source.keptTopics.count ? .topics(from: end) : .kept(from: 0)
        case .kept(let first):
            let end = min(first + SnapshotWriter.entriesAtOnce, source.keptEntries.count)
            let entries = source.keptEntries
            for index in first..<end { add(SnapshotKind.kept) { $0.append(entries[index]) } }
            step = end < source.keptEntries.count ? .kept(from: end) : .retained(part: 0)
        case .retained(let part):
            for one in RetainedLog.sorted(source.retained.parts[part]) { write(one) }
            step = part + 1 < source.retained.parts.count ? .retained(part: part + 1) : .end
        case .end:
            let count = itemCount
            add(SnapshotKind.end) { $0.append(count) }
            step = .nothing
        case .nothing: return false
        }
        return true
    }

    private mutating func writeBeginning() {
        let source = source
        add(SnapshotKind.beginning) { item in
            item.append(byte: SnapshotWriter.version)
            item.append(source.stream)
            item.append(source.totalSize)
            item.append(source.droppedThrough)
            item.append(source.droppedMessages)
        }
        for (name, node) in sorted(source.nodes) {
            add(SnapshotKind.node) { item in
                item.append(name.string)
                item.append(node.incarnation)
                item.append(node.lastNumber)
                item.append(byte: node.reads)
            }
        }
        for (name, sequence) in sorted(source.needed) {
            add(SnapshotKind.needed) { item in
                item.append(name.string)
                item.append(sequence)
            }
        }
        let names = source.groups.keys.sorted { ($0.pattern, $0.name) < ($1.pattern, $1.name) }
        for name in names {
            guard let group = source.groups[name] else { continue }
            add(SnapshotKind.group) { $0.append(group, of: name) }
        }
        for index in 0..<source.marks.count {
            add(SnapshotKind.mark) { item in
                item.append(source.marks[index].stream)
                item.append(source.marks[index].bytes)
                item.append(source.marks[index].writtenAt)
            }
        }
    }

    private mutating func write(_ retained: RetainedLog.Retained) {
        if let expiresAt = retained.expiresAt, expiresAt <= now { return }
        add(SnapshotKind.retained) { item in
            item.append(retained.position)
            item.append(byte: retained.expiresAt == nil ? 0 : 1)
            if let expiresAt = retained.expiresAt { item.append(expiresAt) }
            // With the interval as it was when the state heard of it, of which the reader makes nothing.
            item.append(retained.message)
        }
    }

    private func sorted<Value>(_ part: [ExactText: Value]) -> [(key: ExactText, value: Value)] {
        part.sorted { $0.key.string < $1.key.string }
    }
}
