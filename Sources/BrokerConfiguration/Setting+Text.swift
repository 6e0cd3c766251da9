extension Setting {
    /// What a text says that stands in an environment variable or behind an option.
    static func value(_ text: String, for kind: Kind) throws(Refusal) -> Value {
        switch kind {
        case .integer:
            guard let number = Int(text) else { throw Refusal(text: "has to be a whole number") }
            return .integer(number)
        case .boolean:
            guard let isTrue = Bool(text) else { throw Refusal(text: "has to be true or false") }
            return .boolean(isTrue)
        case .size, .duration, .text, .choice: return .text(text)
        case .list:
            if text.isEmpty { return .list([]) }
            return .list(
                text.split(separator: ",", omittingEmptySubsequences: false).map { word in
                    String(word.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
                })
        }
    }

    /// `DUNLIN_LIMITS_RECEIVE_MAXIMUM` for `limits.receive-maximum`.
    package var variable: String { "DUNLIN_" + Self.joined(key, by: "_").uppercased() }

    /// `--limits-receive-maximum` for `limits.receive-maximum`.
    package var option: String { "--" + Self.joined(key, by: "-") }

    private static func joined(_ key: String, by separator: Character) -> String {
        String(key.map { $0 == "." || $0 == "-" ? separator : $0 })
    }
}

extension BrokerSettings {
    /// Stores a value that is given as text for a key.
    package mutating func set(_ key: String, to text: String) throws(InvalidSettings) {
        guard let setting = Setting.all.first(where: { $0.key == key }) else {
            throw InvalidSettings([SettingsProblem(key: key, text: "there is no such key")])
        }
        if let problem = set(setting, to: text, from: key) { throw InvalidSettings([problem]) }
    }

    /// - Parameter name: what whoever has written the text calls the key.
    /// - Returns: what is wrong with the text.
    mutating func set(_ setting: Setting, to text: String, from name: String) -> SettingsProblem? {
        do throws(Setting.Refusal) {
            try setting.apply(try Setting.value(text, for: setting.kind), &self)
        } catch {
            return SettingsProblem(key: name, text: error.text)
        }
        // It is no longer the file's.
        lines[setting.key] = nil
        return nil
    }
}
