import ArgumentParser
import Foundation
import MQTTClient

/// `dunlin pub`: publishes a message, or one for each line of its input.
struct PublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pub",
        abstract: "Publish messages.",
        usage: "dunlin pub -t <topic> (-m <text> | -f <file> | -l | -s | -n) [<options>]",
        discussion: """
            Works as mosquitto_pub does, and speaks MQTT 5.0 unless -V says otherwise. With QoS 1 and 2 it ends when the \
            server has acknowledged every message. -l connects again when the connection is lost.

            \(ClientExitCode.help)
            """,
        helpNames: .long)

    @OptionGroup(title: "Connection") var client: ClientOptions

    @Option(name: .shortAndLong, help: "Topic to publish to.")
    var topic: String

    @Option(name: .shortAndLong, help: ArgumentHelp("Message to publish.", valueName: "text"))
    var message: String?

    @Option(name: .shortAndLong, help: "File whose content is the message.", completion: .file())
    var file: String?

    @Flag(
        name: [.customShort("l"), .customLong("stdin-line")],
        help: "Each line of standard input that is not empty is a message.")
    var readsLines = false

    @Flag(name: [.customShort("s"), .customLong("stdin-file")], help: "All of standard input is the message.")
    var readsInput = false

    @Flag(
        name: [.customShort("n"), .customLong("null-message")],
        help: "The message is empty; with -r it deletes the retained one.")
    var isNull = false

    @Option(
        name: .shortAndLong, help: ArgumentHelp("QoS: 0, 1 or 2.", valueName: "qos"),
        transform: { try ClientOptions.qos($0) })
    var qos = QoS.atMostOnce

    @Flag(name: .shortAndLong, help: "The server keeps the message for later subscribers.")
    var retain = false

    @Option(name: .customLong("repeat"), help: ArgumentHelp("Publish the message so many times.", valueName: "n"))
    var repeatCount: Int = 1

    @Option(
        name: .customLong("repeat-delay"), help: ArgumentHelp("Time between two of them.", valueName: "seconds"))
    var repeatDelay: Double = 0

    func validate() throws {
        guard TopicName(topic) != nil else {
            throw ValidationError(
                "-t: \"\(topic)\" is no topic to publish to: it is empty, too long, or has + or # in it.")
        }
        let sources = [message != nil, file != nil, readsLines, readsInput, isNull].count { $0 }
        guard sources == 1 else {
            throw ValidationError(
                sources == 0
                    ? "Say what to publish: -m TEXT, -f FILE, -l, -s or -n." : "Give only one of -m, -f, -l, -s and -n."
            )
        }
        guard repeatCount >= 1 else { throw ValidationError("--repeat: give 1 or more.") }
        guard repeatDelay >= 0, repeatDelay.isFinite else {
            throw ValidationError("--repeat-delay: give seconds, 0 or more.")
        }
        if readsLines, repeatCount != 1 { throw ValidationError("--repeat does not go with -l.") }
    }

    func run() async throws {
        let properties = try publishProperties()
        try await ClientCommand(options: client).run { [self] client in
            let publisher = Publisher(client: client, command: self, properties: properties)
            if readsLines {
                try await publisher.publishLines()
            } else {
                try await publisher.publish(try await payload(), times: repeatCount, delay: .seconds(repeatDelay))
            }
            try await publisher.finish()
        }
    }

    private func publishProperties() throws -> Properties {
        // The client counts its aliases itself; the option only allows them.
        Properties(
            try ClientProperties(arguments: client.property)[.publish].all.filter {
                if case .topicAlias = $0 { false } else { true }
            })
    }

    private func payload() async throws -> [UInt8] {
        if let message { return Array(message.utf8) }
        if let file {
            do {
                return Array(try Data(contentsOf: URL(fileURLWithPath: file)))
            } catch {
                StandardStreams.writeErrorLine("Error: cannot read \(file): \(error.localizedDescription)")
                throw ClientExitCode.failure
            }
        }
        guard readsInput else { return [] }
        var bytes: [UInt8] = []
        let input = StandardInput()
        while bytes.count <= PublishCommand.maximumPayload, let more = try await input.read() { bytes += more }
        guard bytes.count <= PublishCommand.maximumPayload else {
            StandardStreams.writeErrorLine("Error: the input is larger than a message can be (256 MiB)")
            throw ClientExitCode.failure
        }
        return bytes
    }

    /// What the remaining length of a packet can say (section 2.1.4).
    private static let maximumPayload = 268_435_455
}
