extension BrokerSettings {
    /// Stores a value that the command line gives as text, for a key that is a text in the file, too: a size, a duration,
    /// a path, a word.
    package mutating func set(_ key: String, to text: String) throws(InvalidSettings) {
        guard let setting = Setting.all.first(where: { $0.key == key }) else {
            throw InvalidSettings([SettingsProblem(key: key, text: "there is no such key")])
        }
        do throws(Setting.Refusal) {
            try setting.apply(.text(text), &self)
        } catch {
            throw InvalidSettings([SettingsProblem(key: key, text: error.text)])
        }
    }
}
