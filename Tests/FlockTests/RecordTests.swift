import Backbone
import Flock
import MQTTModel
import Testing

@Suite("Records of the log")
struct RecordTests {
    private static let group = SharedGroup(name: "g", pattern: "a/+")
    private static let options = SubscriptionOptions(maximumQoS: .exactlyOnce, noLocal: true, retainAsPublished: true)

    private static func message(_ text: String, expiry: UInt32? = nil) -> ApplicationMessage {
        let message = ApplicationMessage(topic: "a/b", payload: text.utf8, qos: .exactlyOnce, isRetained: true)
        message.expiryInterval = expiry
        message.publisherHash = 0xFEDC_BA98_7654_3210
        return message
    }

    private static let changes: [SessionChange] = [
        .began(clientIdentifier: "c"),
        .connected(clientIdentifier: "c", expiryInterval: .max, will: nil),
        .connected(clientIdentifier: "", expiryInterval: 0, will: Will(message: message("w"), delayInterval: 7)),
        .disconnected(clientIdentifier: "c", expiryInterval: 9, willDelay: nil),
        .disconnected(clientIdentifier: "c", expiryInterval: 9, willDelay: .max),
        .ended(clientIdentifier: "é"),
        .subscribed(
            clientIdentifier: "c", filter: "$share/g/a/+", options: options, identifier: 268_435_455, since: 1 << 61,
            messagesWait: true),
        .unsubscribed(clientIdentifier: "c", filter: "#", through: nil),
        .unsubscribed(clientIdentifier: "c", filter: "#", through: 0),
        .wished(
            clientIdentifier: "c", RetainedWish(number: .wish(3), pattern: "#", options: options, identifier: 1)),
        .fulfilled(clientIdentifier: "c", wish: .wish(3)),
        .released(ReceivedExchange(clientIdentifier: "c", packetIdentifier: 65_535)),
        .sending(clientIdentifier: "c", SentExchange(sequence: 5), packetIdentifier: 1, topic: nil),
        .sending(
            clientIdentifier: "c", SentExchange(sequence: 5, group: group), packetIdentifier: 2,
            topic: ExactText("a/b")),
        .handedOver(clientIdentifier: "c", SentExchange(sequence: 5, group: group)),
        .finished(clientIdentifier: "c", SentExchange(sequence: 5)),
        .advanced(clientIdentifier: "c", through: 4711),
        .groupFinished(group, sequence: 12),
        .groupPassed(group, sequence: 13, clientIdentifier: "c"),
    ]

    private static func batch() -> FlockBatch {
        var append = LogAppend(
            message: message("x", expiry: 100), publisher: PublisherReference(shard: 1, session: 2, generation: 3))
        append.isKept = true
        append.preference = [.local, .leastBusy]
        append.groups = [group]
        append.received = ReceivedExchange(clientIdentifier: "c", packetIdentifier: 77)
        append.willOf = "c"
        var plain = LogAppend(message: message(""), publisher: .none)
        plain.publishedBy = ExactText("d")
        let identity = FlockBatch.Identity(node: "north", incarnation: .max, number: 300)
        return FlockBatch(
            identity: identity, writtenAt: 1_000_000,
            records: [
                .append(append), .changes(changes), .append(plain), .changes([]), .needed(above: 99),
                .claim(client: "c"), .nodeUp(reads: 1),
                .nodeDown(name: "é", incarnation: 5),
            ])
    }

    /// What a value looks like with everything in it: records hold classes and are not Equatable.
    private static func text(_ batch: FlockBatch) -> [String] {
        batch.records.map { record in
            guard case .append(let append) = record else { return "\(record)" }
            let message = append.message
            return "\(message.topicString) \(Array(message.payload)) \(message.qos) \(message.isRetained) "
                + "\(String(describing: message.expiryInterval)) \(message.publisherHash) \(append.publisher) "
                + "\(append.isKept) \(append.preference) \(append.groups) \(String(describing: append.received)) "
                + "\(String(describing: append.willOf)) \(String(describing: append.publishedBy))"
        }
    }

    private static func decode(_ bytes: [UInt8], at now: UInt64 = 1_000_000) throws -> FlockBatch {
        try bytes.withUnsafeBytes { try FlockBatch($0, at: now) }
    }

    @Test func aBatchIsReadAsItWasWritten() throws {
        let batch = Self.batch()
        let bytes = batch.encoded()
        let read = try Self.decode(bytes)
        #expect(read.identity == batch.identity)
        #expect(read.writtenAt == batch.writtenAt)
        #expect(read.records.count == batch.records.count)
        #expect(read.encoded() == bytes)
        let withoutWills = { (lines: [String]) in lines.filter { !$0.contains("Will(") } }
        #expect(withoutWills(Self.text(read)) == withoutWills(Self.text(batch)))
    }

    /// The interval is what is left of it [MQTT-3.3.2-6].
    @Test func aMessageHasAgedBetweenTheNodes() throws {
        let read = try Self.decode(Self.batch().encoded(), at: 1_000_000 + 40_900)
        guard case .append(let append) = read.records[0] else {
            Issue.record("the first record is a message")
            return
        }
        #expect(append.message.expiryInterval == 60)
        let later = try Self.decode(Self.batch().encoded(), at: .max)
        guard case .append(let expired) = later.records[0] else { return }
        #expect(expired.message.expiryInterval == 0)
    }

    @Test func aBatchThatIsCutIsRefusedAtEveryLength() {
        let bytes = Self.batch().encoded()
        for count in 0..<bytes.count {
            #expect(throws: MalformedRecord.self) { try Self.decode(Array(bytes[..<count])) }
        }
        #expect(throws: MalformedRecord.self) { try Self.decode(bytes + [0]) }
    }

    /// Whatever a byte is changed to, reading ends with a batch or a reason.
    @Test func aBatchWithAnyByteChangedDoesNotHarmTheReader() {
        let bytes = Self.batch().encoded()
        for index in bytes.indices {
            for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
                var changed = bytes
                changed[index] = value
                _ = try? Self.decode(changed)
            }
        }
    }

    @Test func ofABatchOfANewerVersionItIsKnownWhoseItIs() throws {
        var bytes = Self.batch().encoded()
        bytes[0] = 2
        let batch = try Self.decode(bytes)
        #expect(!batch.isReadable)
        #expect(batch.identity == Self.batch().identity)
    }

    @Test func sequencesAscendWithinABatchAndAcrossBatches() {
        let last = LogSequence(stream: 7, index: FlockBatch.maximumRecords - 1)
        #expect(LogSequence(stream: 7, index: 0) < last)
        #expect(last < LogSequence(stream: 8, index: 0))
        #expect(last == .end(ofBatch: 7))
        #expect(last.stream == 7)
        #expect(last.indexInBatch == FlockBatch.maximumRecords - 1)
        #expect(LogSequence(stream: 1, index: 0) > 0)
    }

    /// What is read again of a batch is what the whole of it says, and what is no message there is left out.
    @Test func singleMessagesOfABatchAreReadWithoutTheOthers() throws {
        let batch = Self.batch()
        let bytes = batch.encoded()
        let all = (0..<12).map { LogSequence(stream: 9, index: $0) }
        for wanted in [all, [all[2], all[0]], [all[2]], [all[1]], []] {
            let found = try bytes.withUnsafeBytes { try FlockBatch.entries(of: wanted, in: $0, at: 1_007_000) }
            #expect(found.map(\.sequence) == [all[0], all[2]].filter(wanted.contains))
            for entry in found {
                guard case .append(let append) = batch.records[entry.sequence.indexInBatch] else { continue }
                #expect(entry.message.payload.elementsEqual(append.message.payload))
                #expect(entry.message.publisherHash == append.message.publisherHash)
                #expect(entry.message.expiryInterval == append.message.expiryInterval.map { $0 - 7 })
            }
        }
    }

    @Test func aBatchThatIsCutOffGivesNoMessageBehindTheCut() {
        let bytes = Self.batch().encoded()
        for count in 0..<(bytes.count - 20) {
            let found = bytes[..<count].withUnsafeBytes { bytes in
                try? FlockBatch.entries(of: [LogSequence(stream: 1, index: 7)], in: bytes, at: 0)
            }
            #expect(found?.isEmpty != false)
        }
    }
}
