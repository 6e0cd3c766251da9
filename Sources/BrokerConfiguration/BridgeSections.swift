import MQTTBridge

/// The sections `bridge.NAME` of a file: each a bridge with options of its own. What they say is kept apart from the
/// defaults that they start from, since those may still change: by what stands behind them, by variables and options.
struct BridgeSections: Sendable {
    private var names: [String] = []
    private var values: [String: [(setting: Setting, value: Setting.Value)]] = [:]

    /// The setting that judges the value.
    static func setting(_ part: SectionKey) throws(Setting.Refusal) -> Setting {
        let all = Setting.bridge + Setting.bridgeDefaults
        if let setting = all.first(where: { word(of: $0) == part.option }) { return setting }
        let words = all.map(word)
        let nearest = Suggestion.nearest(to: part.option, among: words)
        throw Setting.Refusal(
            text: "there is no such key"
                + (nearest.map { "; did you mean \($0)?" } ?? "; a bridge has \(words.joined(separator: ", "))"))
    }

    private static func word(of setting: Setting) -> String {
        String(setting.key.split(separator: ".").last ?? "")
    }

    /// Takes a value of the section up.
    mutating func add(_ part: SectionKey, _ setting: Setting, _ value: Setting.Value) throws(Setting.Refusal) {
        if !names.contains(part.name) { names.append(part.name) }
        var scratch = BrokerSettings()
        try setting.apply(value, &scratch)
        values[part.name, default: []].append((setting, value))
    }

    func bridges(defaults: BridgeOptions) -> [BridgeOptions] {
        names.map { name in
            var scratch = BrokerSettings()
            scratch.bridgeDefaults = defaults
            scratch.bridgeDefaults.name = name
            // Each has been judged by `add`.
            for (setting, value) in values[name] ?? [] { try? setting.apply(value, &scratch) }
            return scratch.bridgeDefaults
        }
    }
}
