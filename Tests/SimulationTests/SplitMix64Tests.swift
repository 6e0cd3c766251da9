import SimulationKit
import Testing

@Suite struct SplitMix64Tests {
    @Test func theSameSeedGivesTheSameNumbers() {
        var first = SplitMix64(seed: 7)
        var second = SplitMix64(seed: 7)
        for _ in 0..<100 { #expect(first.next() == second.next()) }
    }

    @Test func aSplitDoesNotAdvanceAndStreamsDiffer() {
        let parent = SplitMix64(seed: 7)
        var one = parent.split(1)
        var again = parent.split(1)
        var two = parent.split(2)
        let number = one.next()
        #expect(number == again.next())
        #expect(number != two.next())
    }
}
