import AccessControl
import ArgumentParser
import BrokerConfiguration
import Foundation

/// `dunlin acl`: rule files.
struct RulesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "acl", abstract: "Check or import rules about who may do what.",
        subcommands: [CheckRules.self, ImportRules.self])

    struct CheckRules: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Check a rule file.",
            discussion: "Exit codes: 0 the file is fine; 1 it is not; 64 bad command line.")

        @Argument(help: "The rule file.", completion: .file())
        var file: String

        func run() throws {
            var problems: [AccessProblem] = []
            let rules = AccessRuleSet(parsing: try RulesCommand.read(file), problems: &problems)
            try RulesCommand.tell(problems, of: file)
            StandardStreams.writeLine("\(file) is fine: \(rules.rules.count) rules, \(rules.groups.count) groups")
        }
    }

    struct ImportRules: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Print the rules of a Mosquitto acl_file as a rule file.",
            discussion: """
                Two things differ, and both allow less. Mosquitto lets a client subscribe to anything and filters what it \
                delivers; here a subscription has to lie within what may be read, unless --any-subscription adds the rule \
                that makes it Mosquitto's way. And a deny always wins here, where Mosquitto lets a user's topic line \
                outweigh a pattern.
                """)

        @Argument(help: "Mosquitto's acl_file.", completion: .file())
        var file: String

        @Flag(name: .long, help: "Let everybody subscribe to anything; what may be read is filtered at delivery.")
        var anySubscription = false

        func run() throws {
            let imported = MosquittoRules(
                parsing: try RulesCommand.read(file), allowsAnySubscription: anySubscription)
            try RulesCommand.tell(imported.problems, of: file)
            StandardStreams.writeLine("# Imported from \(file).")
            for rule in imported.rules { StandardStreams.writeLine("\(rule)") }
        }
    }

    private static func read(_ file: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: file), let text = String(validating: data, as: UTF8.self)
        else {
            StandardStreams.writeErrorLine("\(file): the file cannot be read, or is not UTF-8")
            throw BrokerExitCode.failure
        }
        return text
    }

    private static func tell(_ problems: [AccessProblem], of file: String) throws {
        for problem in problems { StandardStreams.writeErrorLine("\(SettingsProblem(problem, file: file))") }
        if !problems.isEmpty { throw BrokerExitCode.failure }
    }
}
