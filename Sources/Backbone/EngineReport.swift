/// What an engine tells whoever looks after the broker: whether it does what it is asked, and figures.
package struct EngineReport: Sendable {
    /// One number with its name. The metric is `dunlin_engine_NAME`.
    package struct Figure: Sendable, Hashable {
        package enum Kind: Sendable {
            /// Only grows.
            case counter
            case gauge
        }

        /// Lower case with underscores, and the unit last; a counter's ends in `_total`.
        package let name: String
        package let kind: Kind
        /// A sentence.
        package let meaning: String
        package let value: Double

        package init(_ name: String, _ kind: Kind, _ meaning: String, _ value: Double) {
            self.name = name
            self.kind = kind
            self.meaning = meaning
            self.value = value
        }
    }

    /// What keeps the messages: a word.
    package var engine: String
    /// Why it does not acknowledge at the moment; nil while it does.
    package var refusal: String?
    /// Commands that were given to it and are not answered.
    package var pendingCommands = 0
    /// Commands that it has answered. When this stands still while some are pending, it is stuck.
    package var answeredCommands: UInt64 = 0
    /// Time for which it has been waiting for something that comes at once while all is well; for engines that know.
    package var silence: Duration = .zero
    /// Messages that it keeps for sessions, and their bytes.
    package var keptMessages = 0
    package var keptBytes = 0
    package var figures: [Figure] = []

    package init(engine: String) { self.engine = engine }
}

extension BackboneEngine {
    /// Engines that tell nothing.
    package var report: EngineReport { EngineReport(engine: "engine") }
}
