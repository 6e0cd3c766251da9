/// Something that is wrong with a line of a file about access.
package struct AccessProblem: Error, Sendable, Hashable {
    /// From 1.
    package var line: Int
    /// What is wrong and what would be right.
    package var text: String
    /// The word that is wrong, and those that could have been meant, when it is a matter of that.
    package var word: String?
    package var knownWords: [String]

    package init(line: Int, text: String, word: String? = nil, knownWords: [String] = []) {
        self.line = line
        self.text = text
        self.word = word
        self.knownWords = knownWords
    }
}
