/// A small, fast generator whose whole state is one number: the same seed gives the same run, on every machine.
///
/// Each component of a simulation gets a stream of its own by `split`, so that one more draw in one place does not
/// reshuffle all the others.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return SplitMix64.mixed(state)
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// What `init(seed:)` makes this generator from.
    package var seed: UInt64 { state }

    /// The stream of the component numbered `stream`. Does not advance this generator.
    package func split(_ stream: UInt64) -> SplitMix64 {
        SplitMix64(seed: SplitMix64.mixed(state ^ SplitMix64.mixed(stream &+ 0xD1B5_4A32_D192_ED03)))
    }
}

extension SplitMix64 {
    /// True `percent` times in a hundred.
    package mutating func chance(_ percent: Int) -> Bool { Int(next() % 100) < percent }

    /// A number of the range, each as likely. By remainder and not by rejection, so that it always takes one draw.
    package mutating func integer(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    /// One of `choices`, which is not empty.
    package mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int(next() % UInt64(choices.count))]
    }
}
