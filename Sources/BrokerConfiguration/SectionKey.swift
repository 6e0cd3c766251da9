/// What a key of a section with a name is made of: `listener.NAME.OPTION`, `bridge.NAME.OPTION`.
struct SectionKey {
    let name: String
    let option: String

    /// nil when the key is none of a section of that kind.
    init?(_ key: String, of kind: String) {
        let words = key.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard words.count == 3, words[0] == kind, !words[1].isEmpty else { return nil }
        name = words[1]
        option = words[2]
    }
}
