import AccessControl
import Backbone
import BrokerCore

/// What waits to be handed to one shard's core, in the order it was sent.
struct Mailbox {
    enum Item {
        case peerMessage(source: UInt16, PeerMessage)
        case logEntry(LogEntry)
        case answer(BackboneToken, BackboneOutcome)
        case outcome(ConnectionID, AuthenticationOutcome)
        case fetched(BackboneToken, [LogEntry]?)
        case logDropped(through: LogSequence)
        case taken(BackboneToken?, TakenSessions?)
        case lost(clientIdentifier: String)
        case passed([LogEntry])

        var input: Input {
            switch self {
            case .peerMessage(_, let message): .peerMessageReceived(message)
            case .logEntry(let entry): .logAppended(entry)
            case .answer(let token, let outcome): .backboneAnswered(token, outcome)
            case .outcome(let connection, let outcome): .authenticated(connection, outcome)
            case .fetched(let token, let found): .messagesFetched(token, found)
            case .logDropped(let sequence): .logDropped(through: sequence)
            case .taken(let token, let taken): .sessionsTaken(token, taken)
            case .lost(let client): .sessionLost(clientIdentifier: client)
            case .passed(let entries): .messagesPassed(entries)
            }
        }

        var source: UInt16? {
            if case .peerMessage(let source, _) = self { source } else { nil }
        }
    }

    private var items: [Item] = []

    var isEmpty: Bool { items.isEmpty }
    var count: Int { items.count }

    mutating func append(_ item: Item) { items.append(item) }

    /// The oldest item.
    mutating func removeFirst() -> Item { items.removeFirst() }

    /// One of the items that may be handed over next: the oldest, or the oldest of another shard's while no entry
    /// of the log and no answer lies before it. That is all the freedom the contract gives: in order for each pair of shards,
    /// one order for entries of the log, and an answer is certain that its entry has been seen.
    mutating func removeAny(using random: inout SplitMix64) -> Item {
        var candidates = [0]
        var seen = [items[0].source]
        if items[0].source != nil {
            for index in items.indices.dropFirst() {
                guard let source = items[index].source else { break }
                if !seen.contains(source) {
                    candidates.append(index)
                    seen.append(source)
                }
            }
        }
        return items.remove(at: random.pick(candidates))
    }
}
