import BrokerCore
import Testing

@Suite("Memory gauge")
struct MemoryGaugeTests {
    @Test(arguments: [
        ([0, 1599], MemoryLevel.normal), ([1600], .high), ([3200], .critical),
        // A level goes on until a sixteenth below where it began.
        ([1600, 1599, 1500], .high), ([1600, 1499], .normal),
        ([3200, 3199, 3000], .critical), ([3200, 2999], .high), ([3200, 1499], .normal), ([3200, 1501], .high),
        ([3200, 2999, 3100], .high), ([1600, 1499, 1550], .normal),
    ])
    func theLevelAfter(bytes: [Int], level: MemoryLevel) {
        var gauge = MemoryGauge(watermark: 1600, maximum: 3413)
        for count in bytes { _ = gauge.observe(count) }
        #expect(gauge.level == level)
    }

    @Test func aChangeIsToldOnce() {
        var gauge = MemoryGauge(watermark: 1600, maximum: 3413)
        var told: [Bool] = []
        for count in [0, 1700, 1800, 1590, 1000, 4000, 4000] { told.append(gauge.observe(count)) }
        #expect(told == [false, true, false, false, true, true, false])
    }

    @Test func aMaximumBelowTheWatermarkIsTheWatermark() {
        var gauge = MemoryGauge(watermark: 1600, maximum: 10)
        _ = gauge.observe(1000)
        #expect(gauge.level == .normal)
        _ = gauge.observe(1600)
        #expect(gauge.level == .critical)
    }
}
