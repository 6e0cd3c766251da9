import Configuration
import Foundation
import SystemPackage
import TransportModel

extension BrokerSettings {
    /// Reads a configuration file, and judges it as a whole: every problem is told, not only the first.
    ///
    /// - Throws: `InvalidSettings`.
    package init(contentsOfFile path: String) async throws(InvalidSettings) {
        self.init()
        let provider: FileProvider<SettingsSnapshot>
        do {
            provider = try await FileProvider<SettingsSnapshot>(filePath: FilePath(path))
        } catch var problem as SettingsProblem {
            problem.file = path
            throw InvalidSettings([problem])
        } catch {
            throw InvalidSettings([SettingsProblem(file: path, text: "the file cannot be read: \(Self.reason(path))")])
        }
        let entries = (provider.snapshot() as? SettingsSnapshot)?.entries ?? []
        let problems = apply(entries, from: ConfigReader(provider: provider), file: path)
        if !problems.isEmpty { throw InvalidSettings(problems) }
    }

    /// Stores what the entries say; returns what is wrong with them, in their order.
    private mutating func apply(
        _ entries: [SettingsSnapshot.Entry], from reader: ConfigReader, file: String
    ) -> [SettingsProblem] {
        let known = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.key, $0) })
        var sections = ListenerSections()
        var problems: [SettingsProblem] = []
        for entry in entries {
            lines[entry.key] = entry.line
            do throws(Setting.Refusal) {
                if let setting = known[entry.key] {
                    try setting.apply(try Self.value(of: setting, at: entry.key, from: reader), &self)
                } else if let part = SectionKey(entry.key, of: "listener") {
                    let setting = try ListenerSections.setting(part, among: known)
                    try sections.add(part, setting, try Self.value(of: setting, at: entry.key, from: reader))
                } else if let part = SectionKey(entry.key, of: "bridge") {
                    let setting = try BridgeSections.setting(part)
                    try bridgeSections.add(part, setting, try Self.value(of: setting, at: entry.key, from: reader))
                } else {
                    throw Self.unknown(entry.key)
                }
            } catch {
                problems.append(SettingsProblem(file: file, line: entry.line, key: entry.key, text: error.text))
            }
        }
        namedListeners = sections.listeners(defaults: listenerDefaults) { name, text in
            let line = entries.first { $0.key.hasPrefix("listener.\(name).") }?.line
            problems.append(SettingsProblem(file: file, line: line, key: "listener.\(name)", text: text))
        }
        if !namedListeners.isEmpty, lines["listeners"] == nil { addresses = [] }
        return problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }

    private static func value(
        of setting: Setting, at name: String, from reader: ConfigReader
    ) throws(Setting.Refusal) -> Setting.Value {
        let key = ConfigKey(name)
        do {
            switch setting.kind {
            case .integer: return .integer(try reader.requiredInt(forKey: key))
            case .boolean: return .boolean(try reader.requiredBool(forKey: key))
            case .size, .duration, .text, .choice: return .text(try reader.requiredString(forKey: key))
            case .list: return .list(try reader.requiredStringArray(forKey: key))
            }
        } catch {
            switch setting.kind {
            case .integer: throw Setting.Refusal(text: "has to be a whole number (\(setting.range))")
            case .boolean: throw Setting.Refusal(text: "has to be true or false")
            case .size: throw Setting.Refusal(text: "has to be a size such as 4096, 64KiB or 1MiB")
            case .duration: throw Setting.Refusal(text: "has to be a duration such as 10s")
            case .text: throw Setting.Refusal(text: "has to be a text")
            case .choice(let words): throw Setting.Refusal(text: "has to be one of \(words.joined(separator: ", "))")
            case .list: throw Setting.Refusal(text: "has to be a list, for example [\"127.0.0.1:1883\"]")
            }
        }
    }

    private static func unknown(_ key: String) -> Setting.Refusal {
        let keys = Setting.all.map(\.key)
        // Many forget the section: a word that is a key of some section is the nearest thing.
        let nearest = keys.first { $0.hasSuffix("." + key) } ?? Suggestion.nearest(to: key, among: keys)
        return Setting.Refusal(
            text: "there is no such key"
                + (nearest.map { "; did you mean \($0)?" } ?? "; `dunlin config default` lists all"))
    }

    private static func reason(_ path: String) -> String {
        var isDirectory: ObjCBool = false
        if !FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) { return "it does not exist" }
        if isDirectory.boolValue { return "it is a directory" }
        return "this user may not read it"
    }
}
