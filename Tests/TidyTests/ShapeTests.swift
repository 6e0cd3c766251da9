import Testing

/// Sizes, by ratchet: what is small may not grow past the bound; what was let grow is named here with its size.
@Suite("Shape")
struct ShapeTests {
    private static let longestFile = 500
    /// The formatter holds code to 120; this holds what it leaves alone, comments and strings.
    private static let longestLine = 126
    /// A function fits a screen.
    private static let longestFunction = 70
    /// Functions that are longer, by `PATH NAME`, and how long they may be. Shorten one, then lower or drop its line.
    private static let longerFunctions: [String: Int] = [:]

    @Test func noFileIsLongerThanOneCanOverlook() {
        for file in SourceTree.sources + SourceTree.tests where file.lines.count - 1 > Self.longestFile {
            complain(
                file, Self.longestFile + 1, "the file has \(file.lines.count - 1) lines, more than \(Self.longestFile)",
                instead: "move a noun or a facet into a file of its own (Type+Facet.swift)")
        }
    }

    @Test func noLineIsTooLong() {
        for file in SourceTree.sources + SourceTree.tests {
            for (index, line) in file.lines.enumerated() where line.utf8.count > Self.longestLine {
                if line.count > Self.longestLine {
                    complain(
                        file, index + 1, "the line has \(line.count) characters, more than \(Self.longestLine)",
                        instead: "run `make format`, and break comments and strings by hand")
                }
            }
        }
    }

    @Test func noFunctionOutgrowsAScreen() {
        for file in SourceTree.sources {
            for function in FunctionScanner.functions(in: file.code) {
                let bound = Self.longerFunctions["\(file.path) \(function.name)"] ?? Self.longestFunction
                if function.lines > bound {
                    complain(
                        file, function.line, "`\(function.name)` has \(function.lines) lines, more than \(bound)",
                        instead: "let it branch and move the work of each branch into a function")
                }
            }
        }
    }
}

/// Finds functions and initializers by their braces.
private enum FunctionScanner {
    struct Function {
        let name: String
        /// Of its `func` or `init`, from 1.
        let line: Int
        var lines: Int
    }

    static func functions(in code: String) -> [Function] {
        var found: [Function] = []
        var open: [Function?] = []
        var pending: Function?
        var parentheses = 0
        for (index, line) in code.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if parentheses == 0, let name = declaration(in: line) {
                pending = Function(name: name, line: index + 1, lines: 0)
            }
            for byte in line.utf8 {
                switch byte {
                case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
                case UInt8(ascii: ")"), UInt8(ascii: "]"): parentheses -= 1
                case UInt8(ascii: "{"):
                    open.append(parentheses == 0 ? pending : nil)
                    if parentheses == 0 { pending = nil }
                case UInt8(ascii: "}"):
                    if parentheses == 0 { pending = nil }
                    if var function = open.popLast() ?? nil {
                        function.lines = index + 2 - function.line
                        found.append(function)
                    }
                default: break
                }
            }
        }
        return found
    }

    private static func declaration(in line: Substring) -> String? {
        guard line.contains("func ") || line.contains("init") else { return nil }
        let words = line.split(whereSeparator: { " \t(<?!".contains($0) })
        if let function = words.firstIndex(of: "func"), function + 1 < words.count {
            return String(words[function + 1])
        }
        let modifiers: Set<Substring> = [
            "public", "package", "internal", "fileprivate", "private", "convenience", "required", "@inlinable",
            "@usableFromInline", "borrowing", "mutating", "nonisolated",
        ]
        return words.first { !modifiers.contains($0) } == "init" ? "init" : nil
    }
}
