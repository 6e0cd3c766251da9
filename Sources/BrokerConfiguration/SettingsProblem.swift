/// One thing that is wrong with the settings, in words for whoever wrote them.
package struct SettingsProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file, or nil when it came from elsewhere.
    package var file: String?
    /// Its line, from 1, where it is known.
    package var line: Int?
    /// The key as written in the documentation, `limits.receive-maximum`.
    package var key: String?
    /// What is wrong and what would be right.
    package var text: String

    package init(file: String? = nil, line: Int? = nil, key: String? = nil, text: String) {
        self.file = file
        self.line = line
        self.key = key
        self.text = text
    }

    package var description: String {
        var result = ""
        if let file { result += line.map { "\(file):\($0): " } ?? "\(file): " }
        if let key { result += "\(key): " }
        return result + text
    }
}

/// All that is wrong with the settings, in the order of the file.
package struct InvalidSettings: Error, Sendable, CustomStringConvertible {
    package let problems: [SettingsProblem]

    package init(_ problems: [SettingsProblem]) { self.problems = problems }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
