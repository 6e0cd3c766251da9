import BrokerConfiguration
@testable import AdminAPI
@testable import BrokerTransport
import Foundation
import Logging
import Testing

@Suite struct HealthTests {
    @Test func aBrokerThatServesIsLiveAndReady() async throws {
        try await AdministeredBroker.with { broker in
            for admin in [broker.admin, broker.overTCP()] {
                #expect(try await admin.send(.get, "/live").status == 200)
                let ready = try await admin.ask(.get, "/ready", for: HealthRow.self)
                #expect(ready == HealthRow(status: "ready", reasons: []))
            }
        }
    }

    @Test func aBrokerThatIsDrainedIsLiveAndNotReady() async throws {
        try await AdministeredBroker.with { broker in
            _ = try await broker.admin.ask(.post, "/v1/drain", body: DrainOrder(), for: Outcome.self)
            try await broker.admin.expect(200, .get, "/live")
            let answer = try await broker.admin.send(.get, "/ready")
            #expect(answer.status == 503)
            let row = try JSONDecoder().decode(HealthRow.self, from: answer.body)
            #expect(row.reasons == ["the broker is being drained"])
        }
    }

    @Test func aBrokerThatDoesNotServeYetIsNotReady() async {
        let server = BrokerServer(
            configuration: BrokerServerConfiguration(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        #expect(await !server.readiness(within: .seconds(1)).isReady)
    }

    @Test func anEngineThatMovesIsNotStuck() {
        var stall = EngineStall()
        let start = ContinuousClock.now
        let looks: [(seconds: Int, pending: Int, answered: UInt64, isStuck: Bool)] = [
            (0, 1, 10, false), (5, 1, 11, false), (6, 0, 11, false),
            // It was idle in between: only now does it begin to count.
            (60, 5, 11, false), (61, 5, 11, false), (62, 5, 11, true), (63, 5, 12, false),
        ]
        for look in looks {
            let isStuck = stall.note(look.pending, look.answered, at: start + .seconds(look.seconds))
            #expect(isStuck == look.isStuck, "after \(look.seconds) s")
        }
    }
}
