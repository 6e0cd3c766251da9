/// "Did you mean": which of the known words somebody meant who wrote another.
package enum Suggestion {
    /// The known word nearest to `word`, if it is near enough to be a slip of the hand.
    package static func nearest(to word: String, among known: [String]) -> String? {
        let candidates = known.map { (word: $0, distance: distance(word, $0)) }
        guard let best = candidates.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }) else { return nil }
        return best.distance <= max(2, word.utf8.count / 3) ? best.word : nil
    }

    /// How many bytes have to be added, removed or replaced to make one word the other (Levenshtein's distance).
    static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.lowercased().utf8)
        let right = Array(right.lowercased().utf8)
        var row = Array(0...right.count)
        for (line, leftByte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for (column, rightByte) in right.enumerated() {
                let replaced = diagonal + (leftByte == rightByte ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(replaced, row[column] + 1, row[column + 1] + 1)
            }
        }
        return row[right.count]
    }
}
