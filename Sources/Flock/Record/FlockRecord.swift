package import Backbone
import MQTTModel

/// One thing that a node has said to the flock. All nodes hear all of them in one order.
package enum FlockRecord: Sendable {
    case append(LogAppend)
    case changes([SessionChange])
    /// The sessions of the node have had what the log holds up to here.
    case needed(above: LogSequence)
    /// The client is this node's from here on, whichever node has it: what others say of its session does not count (P2).
    case claim(client: String)
    /// The node begins, under the identity of the batch: what earlier incarnations of it write from here on does not
    /// count. Alone in its batch, which is of the first version. From here on nothing counts that is of a higher version
    /// than the node reads.
    case nodeUp(reads: UInt8)
    /// A node has ended, or was found to be dead: what that incarnation of it writes from here on does not count.
    case nodeDown(name: String, incarnation: UInt64)
    /// The log has become too large: nobody gets what it holds up to here any more, whoever wants it.
    case dropped(through: LogSequence)
    /// A snapshot of what the log adds up to at this place of the stream is complete, in so many bytes.
    case snapshot(stream: UInt64, byteCount: UInt64)
}

/// A kind keeps its number for ever; what changes gets a new one, and is written in batches of a higher version only, so
/// that nodes of two versions can read each other.
private enum Kind {
    static let append: UInt8 = 1
    static let changes: UInt8 = 2
    static let needed: UInt8 = 3
    static let nodeUp: UInt8 = 4
    static let nodeDown: UInt8 = 5
    static let claim: UInt8 = 6
    static let dropped: UInt8 = 16
    static let snapshot: UInt8 = 17
}

extension RecordWriter {
    package mutating func append(_ record: FlockRecord) {
        switch record {
        case .append(let append): self.append(append)
        case .changes(let changes):
            append(byte: Kind.changes)
            append(UInt64(changes.count))
            for change in changes { append(change) }
        case .needed(let sequence):
            append(byte: Kind.needed)
            append(sequence)
        case .claim(let client):
            append(byte: Kind.claim)
            append(client)
        case .nodeUp(let version):
            append(byte: Kind.nodeUp)
            append(byte: version)
        case .nodeDown(let name, let incarnation):
            append(byte: Kind.nodeDown)
            append(name)
            append(incarnation)
        case .dropped(let sequence):
            append(byte: Kind.dropped)
            append(sequence)
        case .snapshot(let stream, let byteCount):
            append(byte: Kind.snapshot)
            append(stream)
            append(byteCount)
        }
    }

    private mutating func append(_ append: LogAppend) {
        self.append(byte: Kind.append)
        self.append(append.message)
        self.append(append.publisher.shard)
        self.append(append.publisher.session)
        self.append(append.publisher.generation)
        self.append(
            byte: (append.isKept ? 1 : 0) | (append.received == nil ? 0 : 2) | (append.willOf == nil ? 0 : 4)
                | append.preference.rawValue << 3 | (append.publishedBy == nil ? 0 : 0x20))
        self.append(UInt64(append.groups.count))
        for group in append.groups { self.append(group) }
        if let received = append.received {
            self.append(received.clientIdentifier.string)
            self.append(received.packetIdentifier)
        }
        if let willOf = append.willOf { self.append(willOf) }
        if let client = append.publishedBy { self.append(client.string) }
    }
}

extension RecordReader {
    /// - Parameter age: seconds since the record was written.
    package mutating func record(age: UInt64) throws(MalformedRecord) -> FlockRecord {
        switch try byte() {
        case Kind.append: return .append(try append(age: age))
        case Kind.changes:
            var changes: [SessionChange] = []
            for _ in 0..<(try count()) { changes.append(try sessionChange()) }
            return .changes(changes)
        case Kind.needed: return .needed(above: try number())
        case Kind.claim: return .claim(client: try text())
        case Kind.nodeUp: return .nodeUp(reads: try byte())
        case Kind.nodeDown:
            let name = try text()
            return .nodeDown(name: name, incarnation: try number())
        case Kind.dropped: return .dropped(through: try number())
        case Kind.snapshot:
            let stream = try number()
            return .snapshot(stream: stream, byteCount: try number())
        case let kind: throw malformed("a record of kind \(kind) is not known")
        }
    }

    private mutating func append(age: UInt64) throws(MalformedRecord) -> LogAppend {
        let message = try message(age: age)
        let shard = try number(as: UInt16.self)
        let session = try number(as: UInt32.self)
        let generation = try number(as: UInt32.self)
        var append = LogAppend(
            message: message, publisher: PublisherReference(shard: shard, session: session, generation: generation))
        let flags = try byte()
        guard flags & ~0x3F == 0 else { throw malformed("flags are unknown") }
        append.isKept = flags & 1 != 0
        append.preference = MemberPreference(rawValue: flags >> 3 & 0x03)
        for _ in 0..<(try count()) { append.groups.append(try sharedGroup()) }
        if flags & 2 != 0 {
            let client = try text()
            let identifier = try number(as: UInt16.self)
            append.received = ReceivedExchange(clientIdentifier: client, packetIdentifier: identifier)
        }
        if flags & 4 != 0 { append.willOf = try text() }
        if flags & 0x20 != 0 { append.publishedBy = ExactText(try text()) }
        return append
    }
}
