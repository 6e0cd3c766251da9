package import Backbone
package import MQTTModel

/// A change of a session in a record: its kind, the client identifier, and what the kind needs. A kind keeps its number
/// for ever; what changes gets a new one, so that nodes of two versions can read each other.
private enum Kind {
    static let began: UInt8 = 1
    static let connected: UInt8 = 2
    static let disconnected: UInt8 = 3
    static let ended: UInt8 = 4
    static let subscribed: UInt8 = 5
    static let unsubscribed: UInt8 = 6
    static let wished: UInt8 = 7
    static let fulfilled: UInt8 = 8
    static let released: UInt8 = 9
    static let sending: UInt8 = 10
    static let handedOver: UInt8 = 11
    static let finished: UInt8 = 12
    static let advanced: UInt8 = 13
    static let groupFinished: UInt8 = 14
    static let departed: UInt8 = 15
    static let groupPassed: UInt8 = 16
}

extension RecordWriter {
    package mutating func append(_ change: SessionChange) {
        switch change {
        case .began(let client): begin(Kind.began, client)
        case .connected(let client, let expiryInterval, let will):
            begin(Kind.connected, client)
            append(expiryInterval)
            append(byte: will == nil ? 0 : 1)
            if let will { append(will) }
        case .disconnected(let client, let expiryInterval, let willDelay):
            begin(Kind.disconnected, client)
            append(expiryInterval)
            append(optional: willDelay)
        case .ended(let client): begin(Kind.ended, client)
        case .departed(let client): begin(Kind.departed, client)
        case .subscribed(let client, let filter, let options, let identifier, let since, let messagesWait):
            begin(Kind.subscribed, client)
            append(filter)
            append(byte: options.rawValue)
            append(identifier)
            append(since)
            append(byte: messagesWait ? 1 : 0)
        case .unsubscribed(let client, let filter, let through):
            begin(Kind.unsubscribed, client)
            append(filter)
            append(optional: through)
        case .wished(let client, let wish):
            begin(Kind.wished, client)
            append(wish)
        case .fulfilled(let client, let wish):
            begin(Kind.fulfilled, client)
            append(wish)
        case .released(let exchange):
            begin(Kind.released, exchange.clientIdentifier.string)
            append(exchange.packetIdentifier)
        case .sending(let client, let exchange, let packetIdentifier, let topic):
            begin(Kind.sending, client)
            append(exchange)
            append(packetIdentifier)
            append(byte: topic == nil ? 0 : 1)
            if let topic { append(topic.string) }
        case .handedOver(let client, let exchange):
            begin(Kind.handedOver, client)
            append(exchange)
        case .finished(let client, let exchange):
            begin(Kind.finished, client)
            append(exchange)
        case .advanced(let client, let through):
            begin(Kind.advanced, client)
            append(through)
        case .groupFinished(let group, let sequence):
            append(byte: Kind.groupFinished)
            append(group)
            append(sequence)
        case .groupPassed(let group, let sequence, let client):
            begin(Kind.groupPassed, client)
            append(group)
            append(sequence)
        }
    }

    private mutating func begin(_ kind: UInt8, _ client: String) {
        append(byte: kind)
        append(client)
    }

    package mutating func append(_ will: Will) {
        append(will.message)
        append(will.delayInterval)
    }

    package mutating func append(_ wish: RetainedWish) {
        append(wish.number)
        append(wish.pattern)
        append(byte: wish.options.rawValue)
        append(wish.identifier)
    }

    package mutating func append(_ exchange: SentExchange) {
        append(exchange.sequence)
        append(byte: exchange.group == nil ? 0 : 1)
        if let group = exchange.group { append(group) }
    }

    package mutating func append(_ group: SharedGroup) {
        append(group.name)
        append(group.pattern)
    }
}

extension RecordReader {
    package mutating func sessionChange() throws(MalformedRecord) -> SessionChange {
        let kind = try byte()
        if kind == Kind.groupFinished {
            let group = try sharedGroup()
            return .groupFinished(group, sequence: try number())
        }
        let client = try text()
        switch kind {
        case Kind.began: return .began(clientIdentifier: client)
        case Kind.connected:
            let expiryInterval = try number(as: UInt32.self)
            let will = try flag() ? try will() : nil
            return .connected(clientIdentifier: client, expiryInterval: expiryInterval, will: will)
        case Kind.disconnected:
            let expiryInterval = try number(as: UInt32.self)
            let willDelay = try optionalNumber(as: UInt32.self)
            return .disconnected(clientIdentifier: client, expiryInterval: expiryInterval, willDelay: willDelay)
        case Kind.ended: return .ended(clientIdentifier: client)
        case Kind.departed: return .departed(clientIdentifier: client)
        case Kind.subscribed: return try subscribed(client)
        case Kind.unsubscribed:
            let filter = try text()
            let through = try optionalNumber(as: UInt64.self)
            return .unsubscribed(clientIdentifier: client, filter: filter, through: through)
        case Kind.wished: return .wished(clientIdentifier: client, try wish())
        case Kind.fulfilled: return .fulfilled(clientIdentifier: client, wish: try number())
        case Kind.released:
            let identifier = try number(as: UInt16.self)
            return .released(ReceivedExchange(clientIdentifier: client, packetIdentifier: identifier))
        case Kind.sending:
            let exchange = try sentExchange()
            let identifier = try number(as: UInt16.self)
            let topic = try flag() ? ExactText(try text()) : nil
            return .sending(clientIdentifier: client, exchange, packetIdentifier: identifier, topic: topic)
        case Kind.handedOver: return .handedOver(clientIdentifier: client, try sentExchange())
        case Kind.finished: return .finished(clientIdentifier: client, try sentExchange())
        case Kind.advanced: return .advanced(clientIdentifier: client, through: try number())
        case Kind.groupPassed:
            let group = try sharedGroup()
            return .groupPassed(group, sequence: try number(), clientIdentifier: client)
        default: throw malformed("a change of kind \(kind) is not known")
        }
    }

    private mutating func subscribed(_ client: String) throws(MalformedRecord) -> SessionChange {
        let filter = try text()
        let options = try subscriptionOptions()
        let identifier = try number(as: UInt32.self)
        let since = try number()
        return .subscribed(
            clientIdentifier: client, filter: filter, options: options, identifier: identifier, since: since,
            messagesWait: try flag())
    }

    package mutating func subscriptionOptions() throws(MalformedRecord) -> SubscriptionOptions {
        guard let options = SubscriptionOptions(rawValue: try byte()) else {
            throw malformed("subscription options are unknown")
        }
        return options
    }

    package mutating func will() throws(MalformedRecord) -> Will {
        let message = try message(age: 0)
        return Will(message: message, delayInterval: try number(as: UInt32.self))
    }

    package mutating func wish() throws(MalformedRecord) -> RetainedWish {
        let number = try number()
        let pattern = try text()
        let options = try subscriptionOptions()
        let identifier = try self.number(as: UInt32.self)
        return RetainedWish(number: number, pattern: pattern, options: options, identifier: identifier)
    }

    package mutating func sentExchange() throws(MalformedRecord) -> SentExchange {
        let sequence = try number()
        return SentExchange(sequence: sequence, group: try flag() ? try sharedGroup() : nil)
    }

    package mutating func sharedGroup() throws(MalformedRecord) -> SharedGroup {
        let name = try text()
        return SharedGroup(name: name, pattern: try text())
    }
}
