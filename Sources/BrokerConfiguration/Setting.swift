/// One key of the configuration: where it goes, what it may be, what it means. The table of all of them
/// (`Setting.all`) is the only source for reading a file, for `dunlin check`, for the default file and for
/// `docs/limits.md`.
package struct Setting: Sendable {
    /// How a value is written.
    package enum Kind: Sendable, Hashable {
        case integer
        /// A number of bytes, plain or with a unit.
        case size
        /// A whole number with a unit.
        case duration
        case boolean
        case text
        case choice([String])
        case list
    }

    /// A value as read from a file, before its setting has judged it.
    package enum Value: Sendable, Hashable {
        case integer(Int)
        case boolean(Bool)
        case text(String)
        case list([String])
    }

    /// Why a value is refused: the rest of a sentence that begins with the key.
    struct Refusal: Error {
        let text: String
    }

    /// Dots separate sections, hyphens words: `limits.receive-maximum`.
    package let key: String
    package let kind: Kind
    /// What it means, in a sentence or two.
    package let documentation: String
    /// What may be written, for people.
    package let range: String
    /// The counter that tells how often the limit was reached; for limits alone.
    package let counter: String?
    /// Stores the value in the settings.
    let apply: @Sendable (Value, inout BrokerSettings) throws(Refusal) -> Void
    /// The value in the settings as it would be written in a file; nil when nothing is set.
    package let written: @Sendable (BrokerSettings) -> String?

    init(
        _ key: String, _ kind: Kind, range: String, counter: String? = nil, _ documentation: String,
        apply: @escaping @Sendable (Value, inout BrokerSettings) throws(Refusal) -> Void,
        written: @escaping @Sendable (BrokerSettings) -> String?
    ) {
        self.key = key
        self.kind = kind
        self.range = range
        self.counter = counter
        self.documentation = documentation
        self.apply = apply
        self.written = written
    }

    /// Every key there is, in the order of the documentation.
    package static let all: [Setting] = server + listener + access + admin + data + nats + limits + bridgeDefaults
}

// MARK: - Shapes of settings

extension Setting {
    typealias Path<Value> = any WritableKeyPath<BrokerSettings, Value> & Sendable

    /// A whole number within a range.
    static func integer<Number: FixedWidthInteger & Sendable>(
        _ key: String, _ path: Path<Number>, in range: ClosedRange<Number>, counter: String? = nil,
        _ documentation: String
    ) -> Setting {
        Setting(key, .integer, range: "\(range.lowerBound)–\(range.upperBound)", counter: counter, documentation) {
            value, settings throws(Refusal) in
            settings[keyPath: path] = try number(value, in: range)
        } written: {
            "\($0[keyPath: path])"
        }
    }

    /// A whole number within a range, or nothing.
    static func optionalInteger<Number: FixedWidthInteger & Sendable>(
        _ key: String, _ path: Path<Number?>, in range: ClosedRange<Number>, counter: String? = nil,
        _ documentation: String
    ) -> Setting {
        Setting(key, .integer, range: "\(range.lowerBound)–\(range.upperBound)", counter: counter, documentation) {
            value, settings throws(Refusal) in
            settings[keyPath: path] = try number(value, in: range)
        } written: {
            $0[keyPath: path].map { "\($0)" }
        }
    }

    /// A text that is not empty, or nothing.
    static func optionalText(
        _ key: String, _ path: Path<String?>, range: String, _ documentation: String
    ) -> Setting {
        Setting(key, .text, range: range, documentation) { value, settings throws(Refusal) in
            guard case .text(let text) = value, !text.isEmpty else { throw Refusal(text: "has to be \(range)") }
            settings[keyPath: path] = text
        } written: {
            $0[keyPath: path].map { "\"\($0)\"" }
        }
    }

    /// A number of bytes within a range.
    static func size<Number: FixedWidthInteger & Sendable>(
        _ key: String, _ path: Path<Number>, in range: ClosedRange<Int>, counter: String? = nil,
        _ documentation: String
    ) -> Setting {
        let bounds = "\(Quantity.text(bytes: range.lowerBound))–\(Quantity.text(bytes: range.upperBound))"
        return Setting(key, .size, range: bounds, counter: counter, documentation) { value, settings throws(Refusal) in
            guard let number = Number(exactly: try size(value, in: range, bounds)) else {
                throw Refusal(text: "has to be within \(bounds)")
            }
            settings[keyPath: path] = number
        } written: {
            Quantity.text(bytes: Int($0[keyPath: path]))
        }
    }

    /// A number of bytes within a range, or nothing.
    static func optionalSize(
        _ key: String, _ path: Path<Int?>, in range: ClosedRange<Int>, counter: String? = nil, _ documentation: String
    ) -> Setting {
        let bounds = "\(Quantity.text(bytes: range.lowerBound))–\(Quantity.text(bytes: range.upperBound))"
        return Setting(key, .size, range: bounds, counter: counter, documentation) { value, settings throws(Refusal) in
            settings[keyPath: path] = try size(value, in: range, bounds)
        } written: {
            $0[keyPath: path].map { Quantity.text(bytes: $0) }
        }
    }

    /// A duration within a range.
    static func duration(
        _ key: String, _ path: Path<Duration>, in range: ClosedRange<Duration>, counter: String? = nil,
        _ documentation: String
    ) -> Setting {
        let bounds = "\(Quantity.text(range.lowerBound))–\(Quantity.text(range.upperBound))"
        return Setting(key, .duration, range: bounds, counter: counter, documentation) {
            value, settings throws(Refusal) in
            guard case .text(let text) = value, let duration = Quantity.duration(parsing: text) else {
                throw Refusal(text: "has to be a whole number with a unit (ms, s, m, h, d), such as 10s")
            }
            guard range.contains(duration) else { throw Refusal(text: "has to be within \(bounds)") }
            settings[keyPath: path] = duration
        } written: {
            Quantity.text($0[keyPath: path])
        }
    }

    /// One of the cases of an enumeration.
    static func choice<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: String, _ path: Path<Choice>, _ documentation: String
    ) -> Setting {
        let words = Choice.allCases.map(\.rawValue)
        return Setting(key, .choice(words), range: words.joined(separator: ", "), documentation) {
            value, settings throws(Refusal) in
            guard case .text(let text) = value, let choice = Choice(rawValue: text) else {
                var answer = "has to be one of \(words.joined(separator: ", "))"
                if case .text(let text) = value, let nearest = Suggestion.nearest(to: text, among: words) {
                    answer += "; did you mean \(nearest)?"
                }
                throw Refusal(text: answer)
            }
            settings[keyPath: path] = choice
        } written: {
            $0[keyPath: path].rawValue
        }
    }

    private static func size(_ value: Value, in range: ClosedRange<Int>, _ bounds: String) throws(Refusal) -> Int {
        guard case .text(let text) = value, let size = Quantity.size(parsing: text) else {
            throw Refusal(text: "has to be a size such as 4096, 64KiB or 1MiB")
        }
        guard range.contains(size) else { throw Refusal(text: "has to be within \(bounds)") }
        return size
    }

    private static func number<Number: FixedWidthInteger>(
        _ value: Value, in range: ClosedRange<Number>
    ) throws(Refusal) -> Number {
        guard case .integer(let integer) = value else { throw Refusal(text: "has to be a whole number") }
        guard let number = Number(exactly: integer), range.contains(number) else {
            throw Refusal(text: "has to be within \(range.lowerBound)–\(range.upperBound)")
        }
        return number
    }
}
