import Foundation

/// A file of the repository, with what the tidy tests ask about it.
struct SourceFile: Sendable {
    /// From the repository's root.
    let path: String
    let text: String
    /// The text with the contents of comments and string literals replaced by spaces: lines and columns are the same.
    /// Empty for what is not Swift.
    let code: String
    let lines: [Substring]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        code = path.hasSuffix(".swift") ? CodeScanner.blankingCommentsAndStrings(text) : ""
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The target's name for `Sources/NAME/…` and `Tests/NAME/…`.
    var target: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }

    /// Every place in the code (not in comments or strings) that matches.
    func matches(_ pattern: Pattern) -> [Match] { pattern.matches(in: code) }
}

/// A place in a text.
struct Match {
    /// From 1.
    let line: Int
    /// What matched, then each group; empty for a group that did not take part.
    let groups: [String]
}

/// A regular expression of Foundation's: in a debug build many times as fast as Swift's own.
struct Pattern: @unchecked Sendable {
    private let expression: NSRegularExpression

    init(_ pattern: String) {
        do {
            expression = try NSRegularExpression(pattern: pattern, options: [.anchorsMatchLines])
        } catch {
            preconditionFailure("not a regular expression: \(pattern)")
        }
    }

    func matches(in text: String) -> [Match] {
        let whole = text as NSString
        var line = 1
        var position = 0
        return expression.matches(in: text, range: NSRange(location: 0, length: whole.length)).map { result in
            while position < result.range.location {
                if whole.character(at: position) == 10 { line += 1 }
                position += 1
            }
            let groups = (0..<result.numberOfRanges).map { group in
                let range = result.range(at: group)
                return range.location == NSNotFound ? "" : whole.substring(with: range)
            }
            return Match(line: line, groups: groups)
        }
    }
}
