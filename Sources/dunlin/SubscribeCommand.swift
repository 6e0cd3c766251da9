import ArgumentParser
import Foundation
import MQTTClient

/// `dunlin sub`: subscribes, and prints what comes.
struct SubscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sub",
        abstract: "Subscribe, and print the messages.",
        usage: "dunlin sub -t <filter> ... [<options>]",
        discussion: """
            Works as mosquitto_sub does, and speaks MQTT 5.0 unless -V says otherwise. It connects again when the \
            connection is lost, unless --no-reconnect is given.

            -F FORMAT: %t topic, %p payload, %x and %X payload in hexadecimal, %l its length, %q QoS, %r RETAIN flag, \
            %d DUP flag, %I time (ISO 8601), %U time (seconds since 1970), %j all as JSON, %J the same with a payload \
            that is JSON itself, %C content type, %D correlation data, %E message expiry interval, %F payload format, \
            %P user properties, %R response topic, %S subscription identifiers, %% a percent sign; a width may stand \
            between, as in %-20t; @X is strftime's %X, @N nanoseconds, @@ an at sign; \\n \\t \\r \\0 \\a \\e \\v \\\\.

            \(ClientExitCode.help)
            """,
        helpNames: .long)

    @OptionGroup(title: "Connection") var client: ClientOptions

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Topic filter to subscribe to; may be repeated.", valueName: "filter"))
    var topic: [String] = []

    @Option(
        name: [.customShort("U"), .customLong("unsubscribe")],
        help: ArgumentHelp("Topic filter to unsubscribe from, after subscribing; may be repeated.", valueName: "filter")
    )
    var unsubscribe: [String] = []

    @Option(
        name: [.customShort("T"), .customLong("filter-out")],
        help: ArgumentHelp("Do not print messages that match this filter; may be repeated.", valueName: "filter"))
    var filterOut: [String] = []

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Highest QoS of the subscriptions: 0, 1 or 2.", valueName: "qos"),
        transform: { try ClientOptions.qos($0) })
    var qos = QoS.atMostOnce

    @Option(name: .customShort("C"), help: ArgumentHelp("End after so many messages.", valueName: "count"))
    var count: Int?

    @Option(name: .customShort("W"), help: ArgumentHelp("End after so long, with exit code 27.", valueName: "seconds"))
    var timeout: UInt32?

    @Flag(name: .customShort("E"), help: "End when the server has answered the subscriptions.")
    var endsWhenSubscribed = false

    @Flag(name: .customShort("R"), help: "Do not print messages that were retained.")
    var skipsRetained = false

    @Flag(name: .customLong("retained-only"), help: "Print retained messages only, and end at the first that is not.")
    var retainedOnly = false

    @Flag(name: .customLong("remove-retained"), help: "Delete the retained messages that are received.")
    var removesRetained = false

    @Flag(name: .customLong("retain-as-published"), help: "Keep the RETAIN flag as the publisher set it. 5.0 only.")
    var retainAsPublished = false

    @Flag(name: .customLong("no-local"), help: "No messages that this client publishes. 5.0 only.")
    var noLocal = false

    @Flag(name: .shortAndLong, help: "Print the topic before the payload.")
    var verbose = false

    @Option(name: .customShort("F"), help: ArgumentHelp("How to print a message; see above.", valueName: "format"))
    var format: String?

    @Flag(name: .customShort("N"), help: "No line end after a message.")
    var omitsLineEnd = false

    func validate() throws {
        guard !topic.isEmpty || !unsubscribe.isEmpty else {
            throw ValidationError("Say what to subscribe to: -t FILTER.")
        }
        for filter in topic + unsubscribe + filterOut where TopicFilter(filter) == nil {
            throw ValidationError(
                "\"\(filter)\" is no topic filter: + stands for a whole level, # for all levels at the end.")
        }
        if let count, count < 1 { throw ValidationError("-C: give 1 or more.") }
        if skipsRetained, retainedOnly { throw ValidationError("-R and --retained-only leave nothing to print.") }
        if client.version < .v5_0, retainAsPublished || noLocal {
            throw ValidationError("--retain-as-published and --no-local need MQTT 5.0; add -V 5.")
        }
        _ = try messageFormat()
    }

    func messageFormat() throws -> MessageFormat {
        var text = format ?? (verbose ? "%t %p" : "%p")
        if !omitsLineEnd { text += "\\n" }
        return try MessageFormat(text)
    }

    func run() async throws {
        let subscriber = Subscriber(
            command: self, format: try messageFormat(), log: ClientLog(client),
            properties: try ClientProperties(arguments: client.property))
        try await ClientCommand(options: client, timeoutSeconds: timeout).run { client in
            try await subscriber.run(client)
        }
    }
}
