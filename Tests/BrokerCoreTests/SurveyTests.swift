import Backbone
@testable import BrokerCore
import MQTTModel
import Testing

@Suite("The log is given up by what the session furthest behind still needs")
struct SurveyTests {
    private static let count = 2 * CursorSurvey.sessionsPerTick + 1

    /// Sessions that are away and want `t`, all with the log up to 0 behind them.
    private static func away(_ names: [String], log: [LogEntry] = []) -> CoreHarness {
        var core = CoreHarness(checksInvariants: false)
        let sessions = names.map { name in
            var session = RestoredSession(clientIdentifier: name)
            session.expiryInterval = 100
            session.subscriptions = [
                .init(
                    filter: "t/\(name)", options: SubscriptionOptions(maximumQoS: .atLeastOnce), identifier: 0, since: 0
                )
            ]
            return session
        }
        core.restore(sessions, log: log)
        return core
    }

    private static func entry(_ sequence: LogSequence, for name: String) -> LogEntry {
        LogEntry(
            sequence: sequence, message: ApplicationMessage(topic: "t/\(name)", payload: [1], qos: .atLeastOnce),
            publisher: .none)
    }

    /// How far the shard has given the log up after so many ticks.
    private static func trims(_ core: inout CoreHarness, ticks: Int) -> [LogSequence?] {
        core.answersNotesAtOnce = false
        return (0..<ticks).map { _ in
            let before = core.pendingCommands.count
            _ = core.advance(by: .seconds(1))
            return core.pendingCommands[before...].compactMap {
                if case .trim(_, let through) = $0.command { through } else { nil }
            }.last
        }
    }

    @Test func manySessionsAreLookedAtInSeveralTicks() {
        var core = Self.away((0..<Self.count).map { "\($0)" })
        _ = core.step(.logAppended(Self.entry(1, for: "nobody")))
        #expect(Self.trims(&core, ticks: 5) == [nil, nil, 1, nil, nil])
    }

    @Test("P1: what is logged while they are looked at is not given up with what was before")
    func aMessageForASessionThatWasLookedAtIsKept() {
        var core = Self.away((0..<Self.count).map { "\($0)" })
        _ = core.step(.logAppended(Self.entry(1, for: "nobody")))
        #expect(Self.trims(&core, ticks: 1) == [nil])
        _ = core.step(.logAppended(Self.entry(2, for: "0")))
        _ = core.step(.logAppended(Self.entry(3, for: "nobody")))
        #expect(Self.trims(&core, ticks: 2) == [nil, 1])
        _ = core.step(.logAppended(Self.entry(4, for: "nobody")))
        #expect(Self.trims(&core, ticks: 4) == [nil, nil, nil, nil])
    }

    @Test("P1: one that is away holds the log back, wherever it is in the table", arguments: [0, 5000, count - 1])
    func theSlowestHoldsTheLogBack(_ slowest: Int) {
        var core = Self.away((0..<Self.count).map { "\($0)" })
        for sequence in 1...3 { _ = core.step(.logAppended(Self.entry(LogSequence(sequence), for: "nobody"))) }
        _ = core.step(.logAppended(Self.entry(4, for: "\(slowest)")))
        _ = core.step(.logAppended(Self.entry(5, for: "nobody")))
        #expect(Self.trims(&core, ticks: 3) == [nil, nil, 3])
    }

    /// A session that comes back is done with what waited for it, though nobody publishes any more.
    @Test func whatIsAcknowledgedWhileTheLogRestsIsNoted() {
        var core = Self.away(["a"])
        _ = core.step(.logAppended(Self.entry(1, for: "a")))
        #expect(Self.trims(&core, ticks: 1) == [nil])
        core.answersNotesAtOnce = true
        let connection = core.connect("a", cleanStart: false, properties: [.sessionExpiryInterval(100)])
        _ = core.step(.packetReceived(connection, .acknowledgement(Acknowledgement(.pubAck, 1))))
        let before = core.pendingCommands.count
        #expect(Self.trims(&core, ticks: 1) == [1])
        let noted = core.pendingCommands[before...].flatMap { pending -> [LogSequence] in
            guard case .store(let changes) = pending.command else { return [] }
            return changes.compactMap { if case .advanced("a", let through) = $0 { through } else { nil } }
        }
        #expect(noted == [1])
    }

    @Test func theLogIsGivenUpFurtherOnceTheSlowestHasMovedOn() {
        var core = Self.away(["a", "b"])
        _ = core.step(.logAppended(Self.entry(1, for: "a")))
        _ = core.step(.logAppended(Self.entry(2, for: "b")))
        #expect(Self.trims(&core, ticks: 2) == [nil, nil])
        core.answersNotesAtOnce = true
        let connection = core.connect("a", cleanStart: false, properties: [.sessionExpiryInterval(100)])
        _ = core.step(.packetReceived(connection, .acknowledgement(Acknowledgement(.pubAck, 1))))
        _ = core.step(.logAppended(Self.entry(3, for: "nobody")))
        #expect(Self.trims(&core, ticks: 1) == [1])
    }
}
