/// As much of Swift's grammar as it takes to tell code from comments and strings.
enum CodeScanner {
    /// The text with the contents of comments and string literals replaced by spaces.
    static func blankingCommentsAndStrings(_ text: String) -> String {
        var scanner = Scanner(bytes: Array(text.utf8))
        scanner.code(untilParenthesis: false)
        return String(decoding: scanner.output, as: UTF8.self)
    }
}

private struct Scanner {
    let bytes: [UInt8]
    var output: [UInt8] = []
    var index = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
        output.reserveCapacity(bytes.count)
    }

    /// Copies code; stops after the parenthesis that closes an interpolation, or at the end.
    mutating func code(untilParenthesis: Bool) {
        var depth = 0
        while index < bytes.count {
            if starts("//") {
                while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { blank() }
            } else if starts("/*") {
                blockComment()
            } else if bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "#"),
                let hashes = stringStart()
            {
                string(hashes: hashes)
            } else {
                if untilParenthesis {
                    if bytes[index] == UInt8(ascii: "(") { depth += 1 }
                    if bytes[index] == UInt8(ascii: ")") {
                        if depth == 0 { return }
                        depth -= 1
                    }
                }
                output.append(bytes[index])
                index += 1
            }
        }
    }

    private mutating func blockComment() {
        var depth = 0
        while index < bytes.count {
            if starts("/*") {
                depth += 1
                blank(2)
            } else if starts("*/") {
                depth -= 1
                blank(2)
                if depth == 0 { return }
            } else {
                blank()
            }
        }
    }

    /// How many `#` stand before a string that begins here; nil when none begins.
    private func stringStart() -> Int? {
        var end = index
        while end < bytes.count, bytes[end] == UInt8(ascii: "#") { end += 1 }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { return nil }
        return end - index
    }

    private mutating func string(hashes: Int) {
        let marks = String(repeating: "#", count: hashes)
        copy(hashes)
        let quotes = starts("\"\"\"") ? "\"\"\"" : "\""
        copy(quotes.utf8.count)
        while index < bytes.count {
            if starts(quotes + marks) {
                copy(quotes.utf8.count + hashes)
                return
            } else if starts("\\" + marks + "(") {
                blank(1 + hashes + 1)
                code(untilParenthesis: true)
                blank()
            } else if starts("\\" + marks) {
                blank(1 + hashes + 1)
            } else {
                blank()
            }
        }
    }

    private func starts(_ word: String) -> Bool {
        let word = word.utf8
        guard index + word.count <= bytes.count else { return false }
        var position = index
        for byte in word {
            if bytes[position] != byte { return false }
            position += 1
        }
        return true
    }

    private mutating func copy(_ count: Int) {
        output.append(contentsOf: bytes[index..<min(index + count, bytes.count)])
        index = min(index + count, bytes.count)
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where index < bytes.count {
            output.append(bytes[index] == UInt8(ascii: "\n") ? bytes[index] : UInt8(ascii: " "))
            index += 1
        }
    }
}
