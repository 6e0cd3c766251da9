/// Rows under headings, for people and for `awk`: columns are aligned and apart by two spaces at least.
enum TextTable {
    static func lines(_ headings: [String], _ rows: [[String]]) -> [String] {
        let cells = [headings.map { $0.uppercased() }] + rows.map { $0.map(printable) }
        let widths = headings.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            var line = ""
            for (cell, width) in zip(row, widths) {
                if !line.isEmpty { line += "  " }
                line += cell + String(repeating: " ", count: width - cell.count)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// What a client calls itself may not give orders to a terminal, nor look like another column.
    private static func printable(_ text: String) -> String {
        if text.isEmpty { return "-" }
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            scalar.value > 0x20 && !(0x7F...0x9F).contains(scalar.value) && scalar.properties.generalCategory != .format
        }
        return isPlain ? text : JSONText.quoted(text)
    }
}
