package import Backbone
package import MQTTModel

/// What a node has written to the log in one go: all of it is there or nothing.
///
/// One batch is one message of the stream, and a position in the log is the batch's place in the stream and the record's
/// place in the batch. So the cost of replicating a message is shared by all that wait at the same time.
package struct FlockBatch: Sendable {
    /// Who wrote it, and which of its batches it is: with the node's incarnation, which is another after each start, a name
    /// that no other batch ever has.
    package struct Identity: Sendable, Hashable {
        package let node: ExactText
        package let incarnation: UInt64
        /// 0 is the one with `nodeUp`; upwards.
        package let number: UInt64

        package init(node: String, incarnation: UInt64, number: UInt64) {
            self.node = ExactText(node)
            self.incarnation = incarnation
            self.number = number
        }

        /// The same batch is stored once, however often it is sent.
        package var messageID: String { "\(node.string).\(String(incarnation, radix: 36)).\(number)" }
    }

    /// The highest version that this code reads and writes. A version says which kinds of records there are and what they
    /// look like; what comes before the records is the same in all of them.
    package static let version: UInt8 = 1
    /// Of the batches in which nodes begin: everybody has to be able to read them.
    package static let firstVersion: UInt8 = 1
    /// Records of one batch at most: what a position has room for.
    package static let maximumRecords = 1 << LogSequence.bitsInBatch - 1

    package let identity: Identity
    /// When it was written: milliseconds since 1970 by the node's clock. For what expires.
    package let writtenAt: UInt64
    package let version: UInt8
    /// False when the version is higher than its reader knows: then there are no records.
    package let isReadable: Bool
    /// Seconds that its reader has taken from the expiry intervals of its messages.
    package private(set) var age: UInt64 = 0
    /// Bytes that it was read from.
    package private(set) var byteCount = 0
    package var records: [FlockRecord]

    package init(
        identity: Identity, writtenAt: UInt64, version: UInt8 = FlockBatch.firstVersion, records: [FlockRecord]
    ) {
        self.identity = identity
        self.version = version
        isReadable = true
        self.writtenAt = writtenAt
        self.records = records
    }

    /// When a message of it expires, in milliseconds since 1970, by the clock of the node that wrote it; nil: never.
    package func expiresAt(_ message: ApplicationMessage) -> UInt64? {
        message.expiryInterval.map { writtenAt &+ (UInt64($0) + age) * 1000 }
    }
}

extension LogSequence {
    /// Low bits of a sequence that are the place in the batch, from 1; the high ones are the place in the stream.
    package static let bitsInBatch: UInt64 = 12

    package init(stream: UInt64, index: Int) {
        self = stream << LogSequence.bitsInBatch | UInt64(index + 1)
    }

    /// The last sequence that a batch at this place of the stream could have.
    package static func end(ofBatch stream: UInt64) -> LogSequence { (stream + 1) << LogSequence.bitsInBatch - 1 }

    /// The place in the stream.
    package var stream: UInt64 { self >> LogSequence.bitsInBatch }
    /// The record's place in its batch, from 0.
    package var indexInBatch: Int { Int(self & (1 << LogSequence.bitsInBatch - 1)) - 1 }
}

extension FlockBatch {
    /// - Parameter records: the records, already written.
    package static func encode(
        _ identity: Identity, writtenAt: UInt64, version: UInt8, count: Int, records: [UInt8]
    ) -> [UInt8] {
        var writer = RecordWriter()
        writer.append(byte: version)
        writer.append(identity.node.string)
        writer.append(identity.incarnation)
        writer.append(identity.number)
        writer.append(writtenAt)
        writer.append(UInt64(count))
        return writer.bytes + records
    }

    package func encoded() -> [UInt8] {
        var writer = RecordWriter()
        for record in records { writer.append(record) }
        return FlockBatch.encode(
            identity, writtenAt: writtenAt, version: version, count: records.count, records: writer.bytes)
    }

    /// A batch of a higher version is read up to its records: what becomes of it the state knows.
    ///
    /// - Parameters:
    ///   - now: milliseconds since 1970; what the messages have left of their expiry is counted from here.
    ///   - highest: the highest version that is read; a test may say another.
    package init(
        _ bytes: UnsafeRawBufferPointer, at now: UInt64, reading highest: UInt8 = FlockBatch.version
    ) throws(MalformedRecord) {
        var reader = RecordReader(bytes)
        self = try FlockBatch(headOf: &reader, reading: highest)
        byteCount = bytes.count
        guard isReadable else { return }
        age = age(at: now)
        let count = try reader.recordCount()
        records.reserveCapacity(count)
        for _ in 0..<count { records.append(try reader.record(age: age)) }
        guard reader.isAtEnd else { throw reader.malformed("the batch is followed by something") }
    }

    private init(headOf reader: inout RecordReader, reading highest: UInt8) throws(MalformedRecord) {
        version = try reader.byte()
        guard version >= FlockBatch.firstVersion else { throw reader.malformed("the batch is of no version") }
        let node = try reader.text()
        let incarnation = try reader.number()
        identity = Identity(node: node, incarnation: incarnation, number: try reader.number())
        writtenAt = try reader.number()
        records = []
        isReadable = version <= highest
    }

    /// Seconds since it was written.
    private func age(at now: UInt64) -> UInt64 { now > writtenAt ? (now - writtenAt) / 1000 : 0 }

    /// Reads single messages of a batch again and makes no others.
    ///
    /// - Parameters:
    ///   - sequences: their positions, all of this batch; what is no message there is left out.
    ///   - now: as above.
    package static func entries(
        of sequences: [LogSequence], in bytes: UnsafeRawBufferPointer, at now: UInt64
    ) throws(MalformedRecord) -> [LogEntry] {
        var reader = RecordReader(bytes)
        let head = try FlockBatch(headOf: &reader, reading: version)
        guard head.isReadable else { throw reader.malformed("the batch is of a version that is not known") }
        let age = head.age(at: now)
        let count = try reader.recordCount()
        var found: [LogEntry] = []
        var next = 0
        for sequence in sequences.sorted() where next <= sequence.indexInBatch && sequence.indexInBatch < count {
            reader.skipsMessages = true
            for _ in next..<sequence.indexInBatch { _ = try reader.record(age: age) }
            reader.skipsMessages = false
            if case .append(let append) = try reader.record(age: age) {
                found.append(LogEntry(sequence: sequence, message: append.message, publisher: .none))
            }
            next = sequence.indexInBatch + 1
        }
        return found
    }
}

extension RecordReader {
    fileprivate mutating func recordCount() throws(MalformedRecord) -> Int {
        let count = try count()
        guard count <= FlockBatch.maximumRecords else { throw malformed("the batch has too many records") }
        return count
    }
}
