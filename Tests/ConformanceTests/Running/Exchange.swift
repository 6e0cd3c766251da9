import BrokerCore
import MQTTModel
import Testing

/// A rule of the standard as data: what clients send, and what the broker has to send back. Run at every depth of the
/// broker (`ExchangeRunner`) and, where the rule is the same, with every version of the protocol.
struct Exchange: Sendable {
    /// The rule, as a sentence.
    let name: String
    /// The statements of 3.1.1 and 5.0 that it holds, without `MQTT-`.
    let statements3: [String]
    let statements5: [String]
    /// Which of the known traps for brokers it is about, by number.
    let traps: [Int]
    let versions: [ProtocolVersion]
    let options: @Sendable (inout BrokerOptions) -> Void
    /// Why it is not run over a socket; nil when it is.
    let coreOnly: String?
    let steps: [Step]

    /// `versions` may be left out: those that have statements.
    init(
        _ name: String, v3: [String] = [], v5: [String] = [], versions: [ProtocolVersion]? = nil,
        traps: [Int] = [],
        options: @escaping @Sendable (inout BrokerOptions) -> Void = { _ in }, coreOnly: String? = nil,
        @StepList _ steps: () -> [Step]
    ) {
        self.name = name
        self.statements3 = v3
        self.statements5 = v5
        self.traps = traps
        self.versions = versions ?? (v3.isEmpty ? [] : [.v3_1_1]) + (v5.isEmpty ? [] : [.v5_0])
        self.options = options
        self.steps = steps()
        let needsTime = self.steps.contains { $0.needsVirtualTime }
        self.coreOnly = coreOnly ?? (needsTime ? "it lets time pass" : nil)
        precondition(!self.versions.isEmpty, "an exchange names the versions it is about: \(name)")
    }
}

extension [ProtocolVersion] {
    static let v3: [ProtocolVersion] = [.v3_1_1]
    static let v5: [ProtocolVersion] = [.v5_0]
    static let both: [ProtocolVersion] = [.v3_1_1, .v5_0]
    static let all: [ProtocolVersion] = [.v3_1, .v3_1_1, .v5_0]
}

/// An exchange with one version: one case of the test.
struct ExchangeCase: Sendable, CustomTestStringConvertible {
    let exchange: Exchange
    let version: ProtocolVersion

    var testDescription: String {
        let traps = exchange.traps.map { ", trap \($0)" }.joined()
        return "\(version.numberText)\(traps): \(exchange.name)"
    }
}

@resultBuilder
enum StepList {
    static func buildExpression(_ step: Step) -> [Step] { [step] }
    static func buildExpression(_ steps: [Step]) -> [Step] { steps }
    static func buildBlock(_ parts: [Step]...) -> [Step] { parts.flatMap(\.self) }
    static func buildArray(_ parts: [[Step]]) -> [Step] { parts.flatMap(\.self) }
    static func buildEither(first: [Step]) -> [Step] { first }
    static func buildEither(second: [Step]) -> [Step] { second }
}

@resultBuilder
enum ExchangeList {
    static func buildExpression(_ exchange: Exchange) -> [Exchange] { [exchange] }
    static func buildExpression(_ exchanges: [Exchange]) -> [Exchange] { exchanges }
    static func buildBlock(_ parts: [Exchange]...) -> [Exchange] { parts.flatMap(\.self) }
    static func buildArray(_ parts: [[Exchange]]) -> [Exchange] { parts.flatMap(\.self) }
}
