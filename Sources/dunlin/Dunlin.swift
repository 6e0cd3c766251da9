import ArgumentParser

/// The root of the command line. A subcommand is a file of its own, named after it.
@main
struct Dunlin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dunlin",
        abstract: "An MQTT broker for 3.1, 3.1.1 and 5.0, and the tools around it.",
        version: "Dunlin \(version)",
        groupedSubcommands: [
            CommandGroup(name: "Broker", subcommands: [Serve.self, Control.self, Check.self, Config.self]),
            CommandGroup(name: "Access", subcommands: [PasswordCommand.self, RulesCommand.self]),
            CommandGroup(name: "Data directory", subcommands: [Inspect.self, Backup.self]),
            CommandGroup(name: "Client", subcommands: [PublishCommand.self, SubscribeCommand.self]),
        ]
    )

    /// What `--version` and `$SYS/broker/version` say.
    static let version = "0.1.0"
}
