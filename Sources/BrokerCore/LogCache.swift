import Backbone
import DequeModule
import MQTTModel

/// Messages of the log that sessions are about to need, so that it is read once for many of them. The oldest go first;
/// what came last stays, whatever its size, so that whoever asked for it finds it.
struct LogCache {
    /// Bytes that a message costs beside its own.
    private static let overhead = 160

    private let maximumByteCount: Int
    /// nil: it was looked for, and the log does not have it any more.
    private var messages: [LogSequence: ApplicationMessage?] = [:]
    private var order: Deque<LogSequence> = []
    private(set) var byteCount = 0

    init(maximumByteCount: Int) { self.maximumByteCount = maximumByteCount }

    enum Content {
        case message(ApplicationMessage)
        /// The log does not have it any more.
        case gone
        case unknown
    }

    func content(_ sequence: LogSequence) -> Content {
        guard let known = messages[sequence] else { return .unknown }
        guard let message = known else { return .gone }
        return .message(message)
    }

    func contains(_ sequence: LogSequence) -> Bool { messages[sequence] != nil }

    /// A message that is at hand, and that a session will need soon.
    mutating func insert(_ message: ApplicationMessage, _ sequence: LogSequence) {
        if order.last == sequence || contains(sequence) { return }
        makeRoom(for: message.byteCount + LogCache.overhead)
        add(message, sequence)
    }

    /// What was found of what was asked for.
    mutating func insert(_ found: [LogEntry], asked: [LogSequence]) {
        makeRoom(
            for: found.reduce(asked.count * LogCache.overhead) { $0 + $1.message.byteCount })
        for entry in found { add(entry.message, entry.sequence) }
        for sequence in asked { add(nil, sequence) }
    }

    private mutating func makeRoom(for bytes: Int) {
        while byteCount + bytes > maximumByteCount, let oldest = order.popFirst() {
            guard let known = messages.removeValue(forKey: oldest) else { continue }
            byteCount -= (known?.byteCount ?? 0) + LogCache.overhead
        }
    }

    /// What is there already stays.
    private mutating func add(_ message: ApplicationMessage?, _ sequence: LogSequence) {
        if contains(sequence) { return }
        messages.updateValue(message, forKey: sequence)
        order.append(sequence)
        byteCount += (message?.byteCount ?? 0) + LogCache.overhead
    }
}
