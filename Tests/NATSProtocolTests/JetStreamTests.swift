import NATSProtocol
import NIOCore
import Testing

@Suite("NATS: JetStream")
struct JetStreamTests {
    private func delivery(_ text: String) -> DeliverySubject? {
        let bytes = Array(text.utf8)
        return DeliverySubject(bytes.span)
    }

    @Test func deliveriesNameTheirPlaceInTheStream() {
        let short = delivery("$JS.ACK.LOG.c1.1.77.5.1700000000000000000.9")
        #expect(short?.streamSequence == 77)
        #expect(short?.consumerSequence == 5)
        #expect(short?.timestamp == 1_700_000_000_000_000_000)
        #expect(short?.pending == 9)
        #expect(delivery("$JS.ACK._.hash.LOG.c1.1.77.5.1700000000000000000.9") == short)
        #expect(delivery("$JS.ACK._.hash.LOG.c1.1.77.5.1700000000000000000.9.random") == short)
        for text in ["", "$JS.ACK", "$JS.ACK.LOG.c1.1.x.5.1.9", "$JS.ACK.a.b.c.d.e.f.g.h.i.j.k.l.m", "_INBOX.1"] {
            #expect(delivery(text) == nil)
        }
    }

    @Test func acknowledgementsAreReadInAnyOrderOfTheirFields() {
        let table: [(String, PublishAcknowledgement?)] = [
            (#"{"stream":"LOG","seq":7}"#, .init(sequence: 7, isDuplicate: false)),
            (#"{"stream":"seq","seq": 7,"duplicate": true}"#, .init(sequence: 7, isDuplicate: true)),
            (#"{"seq":18446744073709551615,"domain":"a\"b","stream":"x"}"#, .init(sequence: .max, isDuplicate: false)),
            (#"{"stream":"LOG","seq":7,"duplicate":false}"#, .init(sequence: 7, isDuplicate: false)),
            (#"{"error":{"code":400,"err_code":10071},"stream":"LOG","seq":0}"#, nil),
            (#"{"stream":"LOG","seq":5,"error":{"code":503}}"#, nil), (#"{"stream":"LOG"}"#, nil), ("", nil),
            (#"{"seq":"#, nil), (#"{"seq":-1}"#, nil), (#"{"seq":"7"}"#, nil), (#"{"x\"#, nil),
        ]
        for (json, acknowledgement) in table {
            #expect(PublishAcknowledgement(json: ByteBuffer(string: json)) == acknowledgement, "\(json)")
        }
    }
}

@Suite("NATS: ordered consumer")
struct OrderedConsumerMachineTests {
    private typealias Action = OrderedConsumerMachine.Action

    /// Follows from the beginning since time 0.
    private func following(after sequence: UInt64 = 0) -> OrderedConsumerMachine {
        var machine = OrderedConsumerMachine(after: sequence, heartbeat: .seconds(1))
        _ = machine.connected(at: .zero)
        _ = machine.created(pending: 1, at: .zero)
        return machine
    }

    private func message(_ consumer: UInt64, _ stream: UInt64) -> DeliverySubject {
        let text = Array("$JS.ACK.S.c.1.\(stream).\(consumer).1.0".utf8)
        guard let delivery = DeliverySubject(text.span) else { preconditionFailure("a delivery's subject") }
        return delivery
    }

    @Test func itStartsBehindWhatIsKnown() {
        var machine = OrderedConsumerMachine(after: 41, heartbeat: .seconds(1))
        #expect(machine.connected(at: .zero) == [.create(generation: 1, from: 42)])
        #expect(machine.created(pending: 1, at: .zero) == [.report(.started)])
        #expect(machine.isFollowing)
    }

    @Test func nothingPendingIsCaughtUpAtOnce() {
        var machine = OrderedConsumerMachine(after: 0, heartbeat: .seconds(1))
        _ = machine.connected(at: .zero)
        #expect(machine.created(pending: 0, at: .zero) == [.report(.started), .report(.caughtUp)])
        #expect(machine.caughtUp() == [])
    }

    @Test func messagesInOrderAreTaken() {
        var machine = following()
        let taken = [(1, 5), (2, 6), (3, 100)].map { machine.accepts(message($0.0, $0.1), at: .zero) }
        #expect(taken == [true, true, true])
        #expect(machine.lastStreamSequence == 100)
    }

    @Test func aGapLeadsToANewConsumerBehindTheLastMessage() {
        var machine = following()
        let taken = [(1, 5), (3, 7)].map { machine.accepts(message($0.0, $0.1), at: .zero) }
        #expect(taken == [true, false])
        #expect(machine.gapFound(at: .zero) == [.report(.interrupted(.gap)), .create(generation: 2, from: 6)])
        _ = machine.created(pending: 1, at: .zero)
        let takenAgain = machine.accepts(message(1, 6), at: .zero)
        #expect(takenAgain)
    }

    @Test func aHeartbeatTellsOfMessagesThatAreMissing() {
        var machine = following()
        _ = machine.accepts(message(1, 5), at: .zero)
        #expect(machine.heartbeatReceived(lastConsumerSequence: 1, at: .zero) == [])
        #expect(machine.heartbeatReceived(lastConsumerSequence: nil, at: .zero) == [])
        #expect(
            machine.heartbeatReceived(lastConsumerSequence: 2, at: .zero)
                == [.report(.interrupted(.gap)), .create(generation: 2, from: 6)])
    }

    @Test func aSilentConsumerIsReplaced() {
        var machine = following()
        _ = machine.heartbeatReceived(lastConsumerSequence: 0, at: .seconds(1))
        #expect(machine.deadlineReached(at: .milliseconds(2100)) == [])
        #expect(machine.deadline == .milliseconds(3100))
        #expect(
            machine.deadlineReached(at: .milliseconds(3100))
                == [.report(.interrupted(.silent)), .create(generation: 2, from: 1)])
    }

    @Test func aFailedCreationIsTriedAgainAfterAMoment() {
        var machine = OrderedConsumerMachine(after: 0, heartbeat: .seconds(1))
        _ = machine.connected(at: .zero)
        #expect(machine.creationFailed(at: .zero) == [.report(.interrupted(.creationFailed))])
        #expect(machine.deadlineReached(at: .milliseconds(199)) == [])
        #expect(machine.deadlineReached(at: .milliseconds(200)) == [.create(generation: 2, from: 1)])
    }

    @Test func aNewConnectionContinuesBehindTheLastMessage() {
        var machine = following()
        _ = machine.accepts(message(1, 9), at: .zero)
        #expect(machine.disconnected() == [.report(.interrupted(.disconnected))])
        #expect(machine.disconnected() == [])
        #expect(machine.deadline == nil)
        #expect(machine.connected(at: .zero) == [.create(generation: 2, from: 10)])
    }
}
