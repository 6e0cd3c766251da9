import ArgumentParser
import Backbone
import BrokerCore
import Foundation
import MQTTModel

/// Measures what a message of the log costs for each session that is away: the core alone, without sockets and disk.
@main
struct QueueCost: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue-cost", abstract: "Measure time and memory of a message for sessions that are away.")

    @Option(help: "Sessions that are away.") var sessions = 10_000
    @Option(help: "Messages, each of which all of them want.") var messages = 100
    @Option(help: "Bytes of a message's payload.") var payload = 64
    @Flag(help: "As without a data directory: the messages themselves wait in memory.") var holdsMessages = false

    func run() {
        var options = BrokerOptions()
        options.statusInterval = .zero
        options.readsLogBack = !holdsMessages
        var shard = LoneShard(options: options)
        for number in 0..<sessions { shard.leaveSession("client-\(number)", filter: "t") }

        let before = LoneShard.residentBytes
        let begin = LoneShard.processorNanoseconds
        for number in 1...messages {
            let message = ApplicationMessage(
                topic: "t", payload: Array(repeating: UInt8(ascii: "x"), count: payload + number % 3),
                qos: .atLeastOnce)
            shard.step(.logAppended(LogEntry(sequence: UInt64(number), message: message, publisher: .none)))
        }
        let nanoseconds = LoneShard.processorNanoseconds - begin
        let bytes = LoneShard.residentBytes - before
        let pairs = Double(sessions * messages)
        print(
            String(
                format: "%d sessions, %d messages: %.0f ns and %.2f bytes for each session and message",
                sessions, messages, nanoseconds / pairs, Double(bytes) / pairs))
        print(String(format: "the longest tick of their cursors: %.2f ms", longestTick(of: &shard) / 1e6))
    }

    /// Processor time of the step in which the shard tells the backbone how far its sessions have come, while messages come.
    private func longestTick(of shard: inout LoneShard) -> Double {
        var longest = 0.0
        for number in 1...20 {
            let message = ApplicationMessage(topic: "nobody", payload: [], qos: .atLeastOnce)
            let sequence = UInt64(messages + number)
            shard.step(.logAppended(LogEntry(sequence: sequence, message: message, publisher: .none)))
            shard.now = shard.now.advanced(by: .seconds(1))
            let begin = LoneShard.processorNanoseconds
            shard.step(.deadlineReached)
            longest = max(longest, LoneShard.processorNanoseconds - begin)
        }
        return longest
    }
}

/// One core, whose backbone says `done` to everything.
private struct LoneShard: ~Copyable {
    private var core: BrokerCore
    private var effects = Effects()
    private var random = SystemRandomNumberGenerator()
    private var generation: UInt32 = 0
    var now = Instant(nanoseconds: 1_000_000_000)

    init(options: BrokerOptions) { core = BrokerCore(options: options) }

    /// Processor time of the process.
    static var processorNanoseconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }

    /// Memory of the process: its resident set.
    static var residentBytes: Int {
        let statistics = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        let pages = statistics?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(getpagesize())
    }

    mutating func step(_ input: Input) {
        core.step(input, at: now, using: &random, into: &effects)
        while !effects.isEmpty {
            let commands = effects.all.compactMap { if case .execute(let token, _) = $0 { token } else { nil } }
            effects.removeAll()
            for token in commands {
                core.step(.backboneAnswered(token, .done), at: now, using: &random, into: &effects)
            }
        }
    }

    /// A lasting session with a subscription, whose client has gone.
    mutating func leaveSession(_ clientIdentifier: String, filter: String) {
        generation += 1
        let connection = ConnectionID(slot: 0, generation: generation)
        step(.connectionOpened(connection))
        let connect = Connect(
            version: .v5_0, clientIdentifier: clientIdentifier, cleanStart: false,
            properties: [.sessionExpiryInterval(.max)])
        step(.packetReceived(connection, .connect(connect)))
        let entry = Subscribe.Entry(filter: filter, options: SubscriptionOptions(maximumQoS: .atLeastOnce))
        step(.packetReceived(connection, .subscribe(Subscribe(packetIdentifier: 1, entries: [entry]))))
        step(.connectionClosed(connection))
    }
}
