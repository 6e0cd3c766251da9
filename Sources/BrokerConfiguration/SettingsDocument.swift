import BackboneSQLite
import BrokerCore

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
            `dunlin config default`; `dunlin check FILE` tells whether a file is right. Each key is an environment variable \
            and an option of `dunlin serve`, too: [configuration.md](configuration.md).
            """,
            "",
            """
            A bound \"of one shard\" counts for one event loop; the broker's is the sum over its shards. *Metric* is \
            what `/metrics` ([operations.md](operations.md)) has for how often the bound was reached.
            """,
            "",
            "| key | default | range | meaning, and what happens at the bound | metric |",
            "|---|---|---|---|---|",
        ]
        lines += rows(of: "limits.", defaults)
        lines += [
            "",
            """
            What is kept on the disk (`dunlin serve --data DIR`), and the bounds of it and of the way there:
            """,
            "",
            "| key | default | range | meaning, and what happens at the bound | metric |",
            "|---|---|---|---|---|",
        ]
        lines += rows(of: "data.", defaults)
        lines += [
            "", "Who may connect and do what ([access.md](access.md)):", "",
            "| key | default | range | meaning |", "|---|---|---|---|",
        ]
        lines += Setting.all.filter { $0.key.hasPrefix("access.") }.map { row(of: $0, defaults) }
        lines += [
            "", "How the broker is looked after ([operations.md](operations.md)):", "",
            "| key | default | range | meaning |", "|---|---|---|---|",
        ]
        lines += Setting.all.filter { $0.key.hasPrefix("admin.") }.map { row(of: $0, defaults) }
        lines += [
            "", "Who a node of a flock is to the NATS servers ([clustering.md](clustering.md)):", "",
            "| key | default | range | meaning |", "|---|---|---|---|",
        ]
        lines += Setting.all.filter { $0.key.hasPrefix("nats.") }.map { row(of: $0, defaults) }
        lines += [
            "",
            """
            Links to other brokers ([bridge.md](bridge.md)). Each bridge has a section `bridge.NAME`; the keys of \
            `bridge-defaults` may stand there as well.
            """,
            "", "| key | default | range | meaning |", "|---|---|---|---|",
        ]
        lines += (Setting.bridge + Setting.bridgeDefaults).map { row(of: $0, defaults) }
        lines += ["", "The other keys of the file:", "", "| key | default | range | meaning |", "|---|---|---|---|"]
        for setting in Setting.all where !setting.key.contains(".") {
            lines.append(row(of: setting, defaults))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(of setting: Setting, _ defaults: BrokerSettings) -> String {
        let value = setting.written(defaults).map { "`\($0)`" } ?? "none"
        return "| `\(setting.key)` | \(value) | \(setting.range) | \(setting.documentation) |"
    }

    private static func rows(of section: String, _ defaults: BrokerSettings) -> [String] {
        Setting.all.filter { $0.key.hasPrefix(section) }.map { setting in
            let value = setting.written(defaults) ?? "none"
            let metric = metric(of: setting).map { "`\($0)`" } ?? "–"
            return "| `\(setting.key)` | \(value) | \(setting.range) | \(setting.documentation) | \(metric) |"
        }
    }

    /// The metric of a bound's counter, which is the store's or the core's.
    private static func metric(of setting: Setting) -> String? {
        if setting.key.hasPrefix("data.") {
            return StoreStatistics.names.first { $0.property == setting.counter }?.metric
        }
        return Counters.names.first { $0.property == setting.counter }?.metric
    }

    /// A configuration file that says what is so without it, with a comment for each key.
    package static var defaultFile: String {
        let defaults = BrokerSettings()
        var lines = [
            "# Dunlin's configuration, as it is without a file. It is YAML; JSON will do as well.",
            "# Durations have a unit: 500ms, 10s, 5m, 1h, 7d. Sizes may have one: 4096, 64KiB, 1MiB, 1GiB.",
            "# Check a file with `dunlin check FILE`, use it with `dunlin serve --config FILE`.",
            "# Each key is an environment variable and an option, too: DUNLIN_LIMITS_RECEIVE_MAXIMUM=7 and",
            "# --limits-receive-maximum 7 are limits.receive-maximum. Options override variables, and those the file.",
        ]
        var section = ""
        for setting in Setting.all {
            let parts = setting.key.split(separator: ".", maxSplits: 1).map(String.init)
            let indentation = parts.count == 2 ? "  " : ""
            lines.append("")
            if parts.count == 2, parts[0] != section {
                section = parts[0]
                // A section with nothing in it would be a key without a value.
                let isEmpty = !Setting.all.contains {
                    $0.key.hasPrefix(section + ".") && $0.written(defaults) != nil
                }
                lines += [(isEmpty ? "# " : "") + "\(section):"]
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
