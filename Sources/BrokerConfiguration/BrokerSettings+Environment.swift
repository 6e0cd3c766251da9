import Configuration

extension BrokerSettings {
    /// The variable that names the configuration file.
    package static let fileVariable = "DUNLIN_CONFIG"

    /// Takes up what variables of the environment say, over what is there: `DUNLIN_LIMITS_RECEIVE_MAXIMUM` is
    /// `limits.receive-maximum`, a list is separated by commas. Every problem is told, also a variable that begins with
    /// `DUNLIN_` and is none.
    ///
    /// - Throws: `InvalidSettings`.
    package mutating func apply(environment: [String: String]) throws(InvalidSettings) {
        let own = environment.filter { $0.key.hasPrefix("DUNLIN_") }
        if own.isEmpty { return }
        let reader = ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: own))
        // The second is `dunlin ctl`'s.
        var known: Set<String> = [Self.fileVariable, "DUNLIN_ADMIN"]
        var problems: [SettingsProblem] = []
        for setting in Setting.all {
            known.insert(setting.variable)
            guard let text = reader.string(forKey: ConfigKey("dunlin.\(setting.key)")) else { continue }
            if let problem = set(setting, to: text, from: setting.variable) { problems.append(problem) }
        }
        for name in own.keys.sorted() where !known.contains(name) && !Self.isOfOthers(name) {
            let nearest = Suggestion.nearest(to: name, among: known.sorted())
            problems.append(
                SettingsProblem(
                    key: name,
                    text: "there is no such variable"
                        + (nearest.map { "; did you mean \($0)?" } ?? "; docs/configuration.md has their names")))
        }
        if !problems.isEmpty { throw InvalidSettings(problems) }
    }

    /// Variables that Kubernetes sets for a service whose name begins with "dunlin", and those of the tests.
    private static func isOfOthers(_ name: String) -> Bool {
        if name.hasPrefix("DUNLIN_TEST_") { return true }
        let words = name.split(separator: "_")
        if words.last == "PORT" { return true }
        return zip(words, words.dropFirst()).contains { first, second in
            (first == "SERVICE" && (second == "HOST" || second == "PORT"))
                || (first == "PORT" && second.allSatisfy(\.isNumber))
        }
    }

    /// Takes up options of the command line that are keys of the configuration: `--limits-receive-maximum 7` or with `=`;
    /// one that is true or false needs no value to be true. The later of two holds.
    ///
    /// - Throws: `InvalidSettings`, with all problems.
    package mutating func apply(options arguments: [String]) throws(InvalidSettings) {
        var problems: [SettingsProblem] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let setting = Setting.all.first(where: { $0.option == parts[0] }) else {
                problems.append(Self.unknown(option: parts[0]))
                // Its value, if it has one, is no problem of its own.
                if parts.count == 1, rest.first?.hasPrefix("-") == false { rest = rest.dropFirst() }
                continue
            }
            let text: String
            if parts.count == 2 {
                text = parts[1]
            } else if setting.kind == .boolean, rest.first.map({ Bool($0) == nil }) ?? true {
                text = "true"
            } else if let next = rest.popFirst() {
                text = next
            } else {
                problems.append(SettingsProblem(key: parts[0], text: "needs a value (\(setting.range))"))
                continue
            }
            if let problem = set(setting, to: text, from: parts[0]) { problems.append(problem) }
        }
        if !problems.isEmpty { throw InvalidSettings(problems) }
    }

    private static func unknown(option: String) -> SettingsProblem {
        let nearest = option.hasPrefix("--") ? Suggestion.nearest(to: option, among: Setting.all.map(\.option)) : nil
        return SettingsProblem(
            key: option,
            text: "there is no such option" + (nearest.map { "; did you mean \($0)?" } ?? "; see --help"))
    }
}
