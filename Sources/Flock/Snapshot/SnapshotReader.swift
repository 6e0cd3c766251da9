import Backbone
import MQTTModel

/// Reads the chunks of a snapshot, in order, into a state.
package struct SnapshotReader: Sendable {
    private var state: FlockState
    /// What is not a whole item yet.
    private var pending: [UInt8] = []
    private var itemCount: UInt64 = 0
    private var hasEnded = false
    private var byteCount: UInt64 = 0
    /// Each node's name once, for all its clients.
    private var names: [ExactText: ExactText] = [:]
    /// Milliseconds since 1970: what retained messages have left of their expiry is counted from here.
    private let now: UInt64

    package init(for node: String, now: UInt64) {
        state = FlockState(of: node)
        self.now = now
    }

    package mutating func add(_ chunk: UnsafeRawBufferPointer) throws(MalformedRecord) {
        byteCount += UInt64(chunk.count)
        pending += chunk
        let bytes = pending
        // A closure's error would lose its type.
        let used: Result<Int, MalformedRecord> = bytes.withUnsafeBytes { bytes in
            do throws(MalformedRecord) { return .success(try addItems(bytes)) } catch { return .failure(error) }
        }
        pending.removeFirst(try used.get())
    }

    /// - Returns: bytes of whole items.
    private mutating func addItems(_ bytes: UnsafeRawBufferPointer) throws(MalformedRecord) -> Int {
        var used = 0
        while true {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[used...])
            guard let (header, length) = try SnapshotReader.length(rest), rest.count - header >= length else {
                return used
            }
            var reader = RecordReader(UnsafeRawBufferPointer(rebasing: rest[header..<(header + length)]))
            try addItem(&reader)
            guard reader.isAtEnd else { throw reader.malformed("an item is followed by something") }
            used += header + length
        }
    }

    /// The length of the next item, and of what says it; nil when that is not all there.
    private static func length(
        _ bytes: UnsafeRawBufferPointer
    ) throws(MalformedRecord) -> (header: Int, length: Int)? {
        guard bytes.prefix(10).contains(where: { $0 & 0x80 == 0 }) || bytes.count >= 10 else { return nil }
        var reader = RecordReader(bytes)
        let length = try reader.number(as: Int.self)
        guard length <= SnapshotReader.maximumItemBytes else { throw reader.malformed("an item is too long") }
        return (reader.offset, length)
    }

    /// Of what one session or message has.
    private static let maximumItemBytes = 1 << 30

    private mutating func addItem(_ item: inout RecordReader) throws(MalformedRecord) {
        let kind = try item.byte()
        guard !hasEnded, (kind == SnapshotKind.beginning) == (itemCount == 0) else {
            throw item.malformed("an item is out of place")
        }
        switch kind {
        case SnapshotKind.beginning: try begin(&item)
        case SnapshotKind.node: try addNode(&item)
        case SnapshotKind.needed: state.needed[ExactText(try item.text())] = try item.number()
        case SnapshotKind.owner:
            let client = ExactText(try item.text())
            state.owners[client] = try name(&item)
        case SnapshotKind.session:
            let session = try item.storedSession()
            state.sessions[ExactText(session.clientIdentifier)] = session
        case SnapshotKind.group: try state.shared.addGroup(&item)
        case SnapshotKind.assignments: try state.shared.addAssignments(&item)
        case SnapshotKind.topic: state.kept.number(of: ExactText(try item.text()))
        case SnapshotKind.kept: try addKept(&item)
        case SnapshotKind.retained: try addRetained(&item)
        case SnapshotKind.mark: try addMark(&item)
        case SnapshotKind.end:
            guard try item.number() == itemCount else { throw item.malformed("items are missing") }
            hasEnded = true
        default: throw item.malformed("an item of kind \(kind) is not known")
        }
        itemCount += 1
    }

    private mutating func begin(_ item: inout RecordReader) throws(MalformedRecord) {
        let version = try item.byte()
        guard version == SnapshotWriter.version else {
            throw item.malformed("the snapshot is of version \(version), this node knows \(SnapshotWriter.version)")
        }
        state.stream = try item.number()
        state.size.total = try item.number()
        state.droppedThrough = try item.number()
        state.droppedMessages = try item.number()
    }

    private mutating func name(_ item: inout RecordReader) throws(MalformedRecord) -> ExactText {
        let name = ExactText(try item.text())
        if let known = names[name] { return known }
        names[name] = name
        return name
    }

    private mutating func addNode(_ item: inout RecordReader) throws(MalformedRecord) {
        let name = try name(&item)
        let incarnation = try item.number()
        let lastNumber = try item.number()
        state.nodes[name] = FlockState.Node(incarnation: incarnation, reads: try item.byte(), lastNumber: lastNumber)
    }

    private mutating func addKept(_ item: inout RecordReader) throws(MalformedRecord) {
        let entry = try item.keptEntry()
        guard entry.position > state.kept.entries.last?.position ?? 0 else {
            throw item.malformed("messages are not in order")
        }
        guard entry.topic < state.kept.topics.count else { throw item.malformed("a topic is not known") }
        state.kept.append(entry)
    }

    private mutating func addRetained(_ item: inout RecordReader) throws(MalformedRecord) {
        let position = try item.number()
        let expiresAt = try item.flag() ? try item.number() : nil
        let message = try item.message(age: 0)
        message.expiryInterval = expiresAt.map { $0 <= now ? 0 : UInt32(clamping: ($0 - now + 999) / 1000) }
        guard message.payloadLength > 0 else { throw item.malformed("a retained message has no payload") }
        state.retained.keep(message, at: position, expiresAt: expiresAt)
    }

    private mutating func addMark(_ item: inout RecordReader) throws(MalformedRecord) {
        let stream = try item.number()
        let bytes = try item.number()
        let mark = LogSize.Mark(stream: stream, bytes: bytes, writtenAt: try item.number())
        let last = state.size.marks.last
        guard mark.bytes <= state.size.total, last.map({ $0.stream < mark.stream && $0.bytes <= mark.bytes }) ?? true
        else { throw item.malformed("the sizes of the log are not in order") }
        state.size.marks.append(mark)
    }

    /// The state, when the last chunk has been added.
    package consuming func finish() throws(MalformedRecord) -> FlockState {
        guard hasEnded, pending.isEmpty else {
            throw MalformedRecord(reason: "the snapshot ends too early", offset: Int(clamping: byteCount))
        }
        state.lastSnapshot = FlockState.LastSnapshot(stream: state.stream, byteCount: byteCount)
        return state
    }
}
