import ArgumentParser
import BrokerConfiguration

/// `dunlin config`: what there is to configure.
struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what there is to configure.",
        subcommands: [Default.self, LimitsMarkdown.self])

    struct Default: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a configuration file with every key, its default and what it means.")

        func run() { StandardStreams.writeLine(String(SettingsDocument.defaultFile.dropLast())) }
    }

    struct LimitsMarkdown: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the page docs/limits.md.", shouldDisplay: false)

        func run() { StandardStreams.writeLine(String(SettingsDocument.limits.dropLast())) }
    }
}
