import Backbone
import MQTTModel
import Testing

/// P3: what is sent behind a message that was not taken is not taken either, until its publisher may know.
@Suite("Refused publishers")
struct RefusedPublishersTests {
    private static func append(_ session: UInt32, knowing token: UInt64 = 0) -> LogAppend {
        var append = LogAppend(
            message: ApplicationMessage(topic: "t", payload: [1]),
            publisher: PublisherReference(shard: 0, session: session, generation: 1))
        append.knownRefusal = BackboneToken(rawValue: token)
        return append
    }

    @Test func whatFollowsARefusedMessageIsRefusedUntilItsShardKnows() {
        var publishers = RefusedPublishers()
        publishers.refused(Self.append(1), submitter: 0, token: BackboneToken(rawValue: 7))
        let answers = [0, 6, 7].map { publishers.mustRefuse(Self.append(1, knowing: $0), submitter: 0) }
        #expect(answers == [true, true, false])
        #expect(publishers.isEmpty)
    }

    @Test func otherPublishersAndOtherShardsGoOn() {
        var publishers = RefusedPublishers()
        publishers.refused(Self.append(1), submitter: 0, token: BackboneToken(rawValue: 7))
        let asked: [(LogAppend, UInt16)] = [
            (Self.append(2), 0), (Self.append(1, knowing: 9), 1), (Self.append(1), 0), (Self.append(2, knowing: 8), 0),
        ]
        let answers = asked.map { publishers.mustRefuse($0.0, submitter: $0.1) }
        #expect(answers == [false, false, true, false])
        #expect(publishers.isEmpty)
    }

    @Test func theBrokerItselfIsNoPublisher() {
        var publishers = RefusedPublishers()
        let append = LogAppend(message: ApplicationMessage(topic: "t", payload: [1]), publisher: .none)
        publishers.refused(append, submitter: 0, token: BackboneToken(rawValue: 7))
        #expect(publishers.isEmpty)
    }
}
