import Backbone
import MQTTModel

/// A generator whose seed reproduces the run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

/// Commands over few names, so that they meet. Two names differ only as bytes.
struct RandomCommands {
    var random: SeededGenerator
    var lastSequence: LogSequence = 0
    var trimsAreWanted = true
    var shardCount: UInt16 = 2
    /// Bytes.
    var largestPayload = 6

    private static let clients = ["a", "b", "c\u{E9}", "ce\u{301}", "a long client identifier of its own", ""]
    private static let topics = ["t/\u{E9}", "t/e\u{301}", "x", "a/b/c"]
    private static let filters = ["#", "t/+", "$share/g/x", "x", "caf\u{E9}/#", "cafe\u{301}/#"]

    init(seed: UInt64) { random = SeededGenerator(state: seed) }

    mutating func next() -> BackboneCommand {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9: return .append(append())
        case 9 where trimsAreWanted:
            return .trim(shard: .random(in: 0..<shardCount, using: &random), through: sequence())
        default: return .store((0..<Int.random(in: 1...4, using: &random)).map { _ in change() })
        }
    }

    private mutating func pick(_ names: [String]) -> String { names[Int.random(in: 0..<names.count, using: &random)] }
    private mutating func client() -> String { pick(Self.clients) }
    private mutating func sequence() -> LogSequence { .random(in: 0...max(lastSequence, 1), using: &random) }
    private mutating func wish() -> LogSequence { .wish(.random(in: 0...2, using: &random)) }

    private mutating func exchange() -> SentExchange {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: SentExchange(sequence: wish() + .random(in: 1...3, using: &random))
        case 1: SentExchange(sequence: sequence(), group: group())
        default: SentExchange(sequence: sequence())
        }
    }

    private mutating func flip() -> Bool { .random(using: &random) }
    private mutating func interval() -> UInt32 { [0, 1, 5, 60, .max][Int.random(in: 0..<5, using: &random)] }
    private mutating func group() -> SharedGroup { SharedGroup(name: pick(["g", "h"]), pattern: pick(Self.topics)) }

    private mutating func message() -> ApplicationMessage {
        let message = ApplicationMessage(
            topic: pick(Self.topics),
            payload: (0..<Int.random(in: 0...largestPayload, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            },
            qos: flip() ? .atLeastOnce : .exactlyOnce, isRetained: flip())
        if flip() { message.expiryInterval = .random(in: 1...20, using: &random) }
        if flip() { message.publisherHash = random.next() }
        return message
    }

    private mutating func append() -> LogAppend {
        var append = LogAppend(message: message(), publisher: .none)
        append.isKept = flip()
        if Int.random(in: 0..<4, using: &random) == 0 { append.groups = [group()] }
        if append.isKept || !append.groups.isEmpty { lastSequence += 1 }
        if flip() {
            append.received = ReceivedExchange(
                clientIdentifier: client(), packetIdentifier: .random(in: 1...3, using: &random))
        }
        if Int.random(in: 0..<8, using: &random) == 0 { append.willOf = client() }
        return append
    }

    private mutating func change() -> SessionChange {
        let client = client()
        switch Int.random(in: 0..<17, using: &random) {
        case 0: return .began(clientIdentifier: client)
        case 1, 2:
            let will = flip() ? Will(message: message(), delayInterval: interval()) : nil
            // A will's hash is nobody's business: the core sets it when it publishes.
            will?.message.publisherHash = 0
            return .connected(clientIdentifier: client, expiryInterval: interval(), will: will)
        case 3:
            return .disconnected(
                clientIdentifier: client, expiryInterval: interval(), willDelay: flip() ? interval() : nil)
        case 4 where flip(): return .ended(clientIdentifier: client)
        case 4, 5, 6:
            return .subscribed(
                clientIdentifier: client, filter: pick(Self.filters),
                options: SubscriptionOptions(maximumQoS: .exactlyOnce, noLocal: flip(), retainAsPublished: flip()),
                identifier: .random(in: 0...2, using: &random), since: lastSequence, messagesWait: flip())
        case 7:
            return .unsubscribed(
                clientIdentifier: client, filter: pick(Self.filters), through: flip() ? lastSequence : nil)
        case 8:
            return .released(
                ReceivedExchange(clientIdentifier: client, packetIdentifier: .random(in: 1...3, using: &random)))
        case 9, 10:
            let exchange = exchange()
            return .sending(
                clientIdentifier: client, exchange, packetIdentifier: .random(in: 1...9, using: &random),
                topic: exchange.sequence >= .firstCopy ? ExactText(pick(Self.topics)) : nil)
        case 11: return .handedOver(clientIdentifier: client, exchange())
        case 12: return .finished(clientIdentifier: client, exchange())
        case 14:
            let options = SubscriptionOptions(maximumQoS: .exactlyOnce, noLocal: flip())
            let wish = RetainedWish(
                number: wish(), pattern: pick(Self.topics), options: options,
                identifier: .random(in: 0...2, using: &random))
            return flip()
                ? .wished(clientIdentifier: client, wish) : .fulfilled(clientIdentifier: client, wish: wish.number)
        case 13: return .advanced(clientIdentifier: client, through: sequence())
        default: return .groupFinished(group(), sequence: sequence())
        }
    }
}
