/// The levels of a topic or of a filter as the words of a subject, the end included.
struct TopicWords {
    private(set) var bytes: [UInt8] = []
    private(set) var levelCount = 1

    /// Whether they are short enough for a subject.
    var fits: Bool { bytes.count <= TopicSubjects.maximumLength && levelCount <= TopicSubjects.maximumLevels }

    /// - Returns: nil when they become longer than `maximumLength`.
    init?(_ text: String.UTF8View, allowsWildcards: Bool, maximumLength: Int = TopicSubjects.maximumLength) {
        bytes.reserveCapacity(min(text.count, maximumLength) + 16)
        var isLevelEmpty = true
        var endsWithAll = false
        for byte in text {
            guard bytes.count <= maximumLength else { return nil }
            if byte == UInt8(ascii: "/") {
                endLevel(isEmpty: isLevelEmpty)
                isLevelEmpty = true
                levelCount += 1
                continue
            }
            isLevelEmpty = false
            switch byte {
            // Wildcards are whole levels, and `#` is the last one.
            case UInt8(ascii: "+") where allowsWildcards: bytes.append(UInt8(ascii: "*"))
            case UInt8(ascii: "#") where allowsWildcards:
                bytes.append(UInt8(ascii: ">"))
                levelCount -= 1
                endsWithAll = true
            default: append(byte)
            }
        }
        guard !endsWithAll else { return }
        endLevel(isEmpty: isLevelEmpty)
        bytes.append(TopicWords.end)
        guard bytes.count <= maximumLength else { return nil }
    }

    private static let end = UInt8(ascii: "!")
    private static let escape = UInt8(ascii: "%")
    private static let separator = UInt8(ascii: ".")
    private static let digits = Array("0123456789ABCDEF".utf8)

    private mutating func endLevel(isEmpty: Bool) {
        if isEmpty { bytes.append(TopicWords.escape) }
        bytes.append(TopicWords.separator)
    }

    private mutating func append(_ byte: UInt8) {
        guard TopicWords.isEscaped(byte) else { return bytes.append(byte) }
        bytes.append(TopicWords.escape)
        bytes.append(TopicWords.digits[Int(byte >> 4)])
        bytes.append(TopicWords.digits[Int(byte & 15)])
    }

    /// What means something in a subject or here, and what a control line cannot have.
    private static func isEscaped(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x7F, separator, escape, end, UInt8(ascii: "*"), UInt8(ascii: ">"): true
        default: false
        }
    }

    /// The topic that the words stand for; nil for words in any other than the one form.
    static func decode(_ words: ArraySlice<UInt8>) -> String? {
        guard words.suffix(2).elementsEqual([separator, end]) else { return nil }
        var text: [UInt8] = []
        text.reserveCapacity(words.count)
        for (index, word) in words.dropLast(2).split(separator: separator, omittingEmptySubsequences: false)
            .enumerated()
        {
            if index > 0 { text.append(UInt8(ascii: "/")) }
            if word.elementsEqual([escape]) { continue }
            guard !word.isEmpty, decode(word, into: &text) else { return nil }
        }
        return String(validating: text, as: UTF8.self)
    }

    private static func decode(_ word: ArraySlice<UInt8>, into text: inout [UInt8]) -> Bool {
        var index = word.startIndex
        while index < word.endIndex {
            let byte = word[index]
            if byte == escape {
                guard index + 2 < word.endIndex, let high = digits.firstIndex(of: word[index + 1]),
                    let low = digits.firstIndex(of: word[index + 2]), isEscaped(UInt8(high << 4 | low))
                else { return false }
                text.append(UInt8(high << 4 | low))
                index += 3
            } else {
                guard !isEscaped(byte), byte != UInt8(ascii: "/") else { return false }
                text.append(byte)
                index += 1
            }
        }
        return true
    }
}
