import Testing

@testable import BrokerTransport

/// P6: when a node counts as cut off from its flock.
@Suite("Isolation")
struct IsolationTests {
    private func gauge() -> IsolationGauge { IsolationGauge(timeout: .seconds(3), interval: .seconds(1)) }

    @Test func silenceCountsFromItsBeginning() {
        var gauge = gauge()
        let looks: [(silence: Double, isIsolated: Bool)] = [
            (0, false), (0.9, false), (1.5, false), (2.5, false), (3.5, true), (4.5, true),
            // Something came, but not all is well.
            (1.1, true), (0.2, false), (1.2, false), (2.2, false), (0.1, false), (2.9, false), (3.0, true),
        ]
        for (place, look) in looks.enumerated() {
            _ = gauge.observe(silence: .seconds(look.silence))
            #expect(gauge.isIsolated == look.isIsolated, "look \(place)")
        }
    }

    @Test func aNodeThatWasItselfStoppedHasNotWaited() {
        var gauge = gauge()
        for silence in [Duration.zero, .seconds(60), .zero] {
            let isOther = gauge.observe(silence: silence)
            #expect(!isOther && !gauge.isIsolated)
        }
    }
}
