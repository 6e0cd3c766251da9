import Flock
import NATSClient
import NATSProtocol
import NIOCore

/// The stream that snapshots are in: the chunks of each under a subject of its own, and one subject for the messages that say
/// that one is complete. What has no such message is not there.
struct SnapshotStream {
    let name: String
    private let prefix: String

    init(log: String) {
        name = log + "_STATE"
        prefix = log.lowercased() + ".state"
    }

    func configuration(replicas: Int) -> StreamConfiguration {
        var wanted = StreamConfiguration(name: name, subjects: [prefix + ".>"])
        wanted.replicas = replicas
        wanted.discard = .new
        return wanted
    }

    var completions: Subject { Subject(unchecked: Array((prefix + ".complete").utf8)) }

    func chunks(of identity: String) -> Subject { Subject(unchecked: Array("\(prefix).chunk.\(identity)".utf8)) }
}

/// Says that a snapshot is complete.
struct CompleteSnapshot: Sendable, Hashable {
    /// Of its chunks' subject.
    var identity: String
    /// The place of the log.
    var stream: UInt64
    var chunkCount: UInt64
    var byteCount: UInt64
    /// The place of the first chunk in the stream of snapshots.
    var firstChunk: UInt64

    private static let version: UInt8 = 1

    var encoded: ByteBuffer {
        var writer = RecordWriter()
        writer.append(byte: CompleteSnapshot.version)
        writer.append(identity)
        for number in [stream, chunkCount, byteCount, firstChunk] { writer.append(number) }
        return ByteBuffer(bytes: writer.bytes)
    }
}

extension RecordReader {
    mutating func completeSnapshot() throws(MalformedRecord) -> CompleteSnapshot {
        guard try byte() == 1 else { throw malformed("the snapshot is of a version that this node does not know") }
        let identity = try text()
        let stream = try number()
        let chunkCount = try number()
        let byteCount = try number()
        let firstChunk = try number()
        guard !identity.isEmpty, identity.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ".") }) else {
            throw malformed("the name of a snapshot is no word of a subject")
        }
        return CompleteSnapshot(
            identity: identity, stream: stream, chunkCount: chunkCount, byteCount: byteCount, firstChunk: firstChunk)
    }
}

/// Encodes a snapshot beside the event loop.
actor SnapshotChunks {
    private var writer: SnapshotWriter

    init(_ source: SnapshotSource, chunkBytes: Int, now: UInt64) {
        writer = SnapshotWriter(source, chunkBytes: chunkBytes, now: now)
    }

    func next() -> [UInt8]? { writer.next() }
}
