/// All samples of one metric, as the Prometheus text format groups them.
package struct MetricFamily: Sendable, Hashable {
    package enum Kind: String, Sendable {
        case counter, gauge, histogram, summary
    }

    package struct Sample: Sendable, Hashable {
        /// Behind the family's name: `_bucket`, `_sum`, `_count`, or nothing.
        var suffix = ""
        var labels: [Label]
        var value: Double
    }

    package struct Label: Sendable, Hashable {
        let name: String
        let value: String
    }

    package let name: String
    package let kind: Kind
    /// A sentence.
    package let meaning: String
    package private(set) var samples: [Sample] = []

    package init(_ name: String, _ kind: Kind, _ meaning: String) {
        self.name = name
        self.kind = kind
        self.meaning = meaning
    }

    /// A metric of one number.
    package init(_ name: String, _ kind: Kind, _ meaning: String, _ value: some BinaryInteger) {
        self.init(name, kind, meaning)
        add(Double(value))
    }

    package mutating func add(_ value: Double, suffix: String = "", _ labels: (name: String, value: String)...) {
        samples.append(
            Sample(suffix: suffix, labels: labels.map { Label(name: $0.name, value: $0.value) }, value: value))
    }

    package mutating func add(_ value: Double, suffix: String = "", labels: [(name: String, value: String)]) {
        samples.append(
            Sample(suffix: suffix, labels: labels.map { Label(name: $0.name, value: $0.value) }, value: value))
    }
}

/// The text format of Prometheus, version 0.0.4.
package enum PrometheusText {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package static func encode(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families where !family.samples.isEmpty {
            text += "# HELP \(family.name) \(escaped(family.meaning, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                text += family.name + sample.suffix
                if !sample.labels.isEmpty {
                    let labels = sample.labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
                    text += "{" + labels.joined(separator: ",") + "}"
                }
                text += " \(number(sample.value))\n"
            }
        }
        return text
    }

    /// A number as both people and Prometheus read it.
    static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        guard value == value.rounded(), abs(value) < 1e15 else { return "\(value)" }
        return "\(Int64(value))"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
