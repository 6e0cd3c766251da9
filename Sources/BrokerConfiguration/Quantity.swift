/// Durations and sizes as people write them: `10s`, `64KiB`. Whole numbers only.
package enum Quantity {
    private static let durationUnits: [(suffix: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]
    private static let sizeUnits: [(suffix: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
    ]

    /// A whole number and one of `ms`, `s`, `m`, `h`, `d`; nil when `text` is anything else or too large.
    package static func duration(parsing text: String) -> Duration? {
        guard let (number, suffix) = split(text),
            let unit = durationUnits.first(where: { $0.suffix == suffix }),
            case let (milliseconds, overflow) = Int64(number).multipliedReportingOverflow(by: unit.milliseconds),
            !overflow
        else { return nil }
        return .milliseconds(milliseconds)
    }

    /// A whole number of bytes, alone or with `B`, `KiB`, `MiB`, `GiB`; nil when `text` is anything else or too large.
    package static func size(parsing text: String) -> Int? {
        guard let (number, suffix) = split(text) else { return nil }
        if suffix.isEmpty { return number }
        guard let unit = sizeUnits.first(where: { $0.suffix == suffix }),
            case let (bytes, overflow) = number.multipliedReportingOverflow(by: unit.bytes), !overflow
        else { return nil }
        return bytes
    }

    /// The shortest text that reads back as `duration`, which is in whole milliseconds.
    package static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        guard milliseconds != 0 else { return "0s" }
        for unit in durationUnits where milliseconds % unit.milliseconds == 0 {
            return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
        }
        return "\(milliseconds)ms"
    }

    /// The shortest text that reads back as `size`.
    package static func text(bytes size: Int) -> String {
        for unit in sizeUnits where size != 0 && size % unit.bytes == 0 { return "\(size / unit.bytes)\(unit.suffix)" }
        return "\(size)B"
    }

    private static func split(_ text: String) -> (number: Int, suffix: String)? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let number = Int(digits) else { return nil }
        return (number, String(text[digits.endIndex...]))
    }
}
