/// What is written about the settings, from their table.
package enum SettingsDocument {
    /// `docs/limits.md`.
    package static var limits: String {
        let defaults = BrokerSettings()
        var lines = [
            "# Limits",
            "",
            "<!-- Written by `make docs` from the table in Sources/BrokerConfiguration; a test compares the two. -->",
            "",
            """
            Every queue, table and wait of the broker has a bound, and a defined answer when it is reached. This page lists \
            them with the key that sets each in the configuration file. A default file with all of them comes from \
            `dunlin config default`; `dunlin check FILE` tells whether a file is right.
            """,
            "",
            """
            A bound \"of one shard\" counts for one event loop; the broker's is the sum over its shards. *Counter* names the \
            count in `Counters` (Sources/BrokerCore/Counters.swift) that tells how often the bound was reached.
            """,
            "",
            "| key | default | range | meaning, and what happens at the bound | counter |",
            "|---|---|---|---|---|",
        ]
        lines += rows(of: "limits.", defaults)
        lines += [
            "",
            """
            What is kept on the disk (`dunlin serve --data DIR`), and the bounds of it and of the way there. Here *Counter* \
            names the count in `StoreStatistics` (Sources/BackboneSQLite/StoreStatistics.swift).
            """,
            "",
            "| key | default | range | meaning, and what happens at the bound | counter |",
            "|---|---|---|---|---|",
        ]
        lines += rows(of: "data.", defaults)
        lines += [
            "",
            "Who may connect and do what ([access.md](access.md)):",
            "",
            "| key | default | range | meaning |",
            "|---|---|---|---|",
        ]
        for setting in Setting.all where setting.key.hasPrefix("access.") {
            let value = setting.written(defaults).map { "`\($0)`" } ?? "none"
            lines.append("| `\(setting.key)` | \(value) | \(setting.range) | \(setting.documentation) |")
        }
        lines += ["", "The other keys of the file:", "", "| key | default | range | meaning |", "|---|---|---|---|"]
        for setting in Setting.all where !setting.key.contains(".") {
            let value = setting.written(defaults).map { "`\($0)`" } ?? "none"
            lines.append("| `\(setting.key)` | \(value) | \(setting.range) | \(setting.documentation) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func rows(of section: String, _ defaults: BrokerSettings) -> [String] {
        Setting.all.filter { $0.key.hasPrefix(section) }.map { setting in
            let value = setting.written(defaults) ?? "none"
            let counter = setting.counter.map { "`\($0)`" } ?? "–"
            return "| `\(setting.key)` | \(value) | \(setting.range) | \(setting.documentation) | \(counter) |"
        }
    }

    /// A configuration file that says what is so without it, with a comment for each key.
    package static var defaultFile: String {
        let defaults = BrokerSettings()
        var lines = [
            "# Dunlin's configuration, as it is without a file. It is YAML; JSON will do as well.",
            "# Durations have a unit: 500ms, 10s, 5m, 1h, 7d. Sizes may have one: 4096, 64KiB, 1MiB, 1GiB.",
            "# Check a file with `dunlin check FILE`, use it with `dunlin serve --config FILE`.",
        ]
        var section = ""
        for setting in Setting.all {
            let parts = setting.key.split(separator: ".", maxSplits: 1).map(String.init)
            let indentation = parts.count == 2 ? "  " : ""
            lines.append("")
            if parts.count == 2, parts[0] != section {
                section = parts[0]
                lines += ["\(section):"]
            }
            lines += wrapped(setting.documentation + " (\(setting.range))", width: 110).map { "\(indentation)# \($0)" }
            let name = parts[parts.count - 1]
            lines.append(setting.written(defaults).map { "\(indentation)\(name): \($0)" } ?? "\(indentation)# \(name):")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + word.count + 1 > width { lines.append("") }
            if !lines[lines.count - 1].isEmpty { lines[lines.count - 1] += " " }
            lines[lines.count - 1] += word
        }
        return lines
    }
}
