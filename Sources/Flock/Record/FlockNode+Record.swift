package import Backbone

/// What nodes say to each other beside the log about themselves and for their operators: numbered fields, each with its
/// length, so that nodes of two versions understand each other as far as both know the fields. A number is kept for ever.
private enum Field: UInt64 {
    case version = 1
    case flags = 2
    case reason = 3
    case listener = 4
    case uptime = 5
    case connections = 6
    case clients = 7
    case sessions = 8
    case subscriptions = 9
    case retainedMessages = 10
    case lagBatches = 11
    case lagMilliseconds = 12
}

private enum OrderKind {
    static let drain: UInt8 = 1
    static let endDrain: UInt8 = 2
}

private enum OrderField: UInt64 {
    case connectionsPerSecond = 1
    case serverReference = 2
    case isPermanent = 3
}

extension RecordWriter {
    private mutating func append<Key: RawRepresentable<UInt64>>(_ key: Key, _ text: String) {
        append(key.rawValue)
        append(text)
    }

    private mutating func append<Key: RawRepresentable<UInt64>>(_ key: Key, _ number: UInt64) {
        var field = RecordWriter()
        field.append(number)
        append(key.rawValue)
        field.bytes.withUnsafeBytes { append($0) }
    }

    package mutating func append(_ facts: NodeFacts) {
        append(Field.version, facts.version)
        append(Field.flags, (facts.isReady ? 1 : 0) | (facts.isDraining ? 2 : 0))
        for reason in facts.reasons.prefix(NodeFacts.maximumTexts) { append(Field.reason, reason) }
        for listener in facts.listeners.prefix(NodeFacts.maximumTexts) { append(Field.listener, listener) }
        append(Field.uptime, facts.uptimeSeconds)
        append(Field.connections, facts.connections)
        append(Field.clients, facts.clients)
        append(Field.sessions, facts.sessions)
        append(Field.subscriptions, facts.subscriptions)
        append(Field.retainedMessages, facts.retainedMessages)
        append(Field.lagBatches, facts.lagBatches)
        append(Field.lagMilliseconds, facts.lagMilliseconds)
    }

    package mutating func append(_ order: NodeOrder) {
        switch order {
        case .drain(let rate, let reference, let isPermanent):
            append(byte: OrderKind.drain)
            if let rate { append(OrderField.connectionsPerSecond, UInt64(rate)) }
            if let reference { append(OrderField.serverReference, reference) }
            if let isPermanent { append(OrderField.isPermanent, isPermanent ? 1 : 0) }
        case .endDrain: append(byte: OrderKind.endDrain)
        }
    }

    package mutating func append(_ answer: NodeAnswer) {
        switch answer {
        case .done(let text):
            append(byte: 1)
            append(text)
        case .refused(let text), .noAnswer(let text):
            append(byte: 2)
            append(text)
        }
    }
}

extension NodeFacts {
    /// Reasons, and listeners, that are told.
    fileprivate static let maximumTexts = 16
}

extension RecordReader {
    /// Calls the body with the number and a reader of each field.
    private mutating func fields(
        _ body: (UInt64, inout RecordReader) throws(MalformedRecord) -> Void
    ) throws(MalformedRecord) {
        while !isAtEnd {
            let key = try number()
            var reader = RecordReader(try field())
            try body(key, &reader)
        }
    }

    private mutating func wholeText() throws(MalformedRecord) -> String {
        guard let text = String(validating: rest(), as: UTF8.self) else { throw malformed("a text is not UTF-8") }
        return text
    }

    package mutating func nodeFacts() throws(MalformedRecord) -> NodeFacts {
        var facts = NodeFacts()
        try fields { key, reader throws(MalformedRecord) in
            switch Field(rawValue: key) {
            case .version: facts.version = try reader.wholeText()
            case .flags:
                let flags = try reader.number()
                facts.isReady = flags & 1 != 0
                facts.isDraining = flags & 2 != 0
            case .reason: facts.reasons.append(try reader.wholeText())
            case .listener: facts.listeners.append(try reader.wholeText())
            case .uptime: facts.uptimeSeconds = try reader.number()
            case .connections: facts.connections = try reader.number()
            case .clients: facts.clients = try reader.number()
            case .sessions: facts.sessions = try reader.number()
            case .subscriptions: facts.subscriptions = try reader.number()
            case .retainedMessages: facts.retainedMessages = try reader.number()
            case .lagBatches: facts.lagBatches = try reader.number()
            case .lagMilliseconds: facts.lagMilliseconds = try reader.number()
            case nil: break
            }
        }
        return facts
    }

    /// nil: an order that this version does not know.
    package mutating func nodeOrder() throws(MalformedRecord) -> NodeOrder? {
        switch try byte() {
        case OrderKind.drain:
            var rate: UInt32?
            var reference: String?
            var isPermanent: Bool?
            try fields { key, reader throws(MalformedRecord) in
                switch OrderField(rawValue: key) {
                case .connectionsPerSecond: rate = try reader.number(as: UInt32.self)
                case .serverReference: reference = try reader.wholeText()
                case .isPermanent: isPermanent = try reader.number() != 0
                case nil: break
                }
            }
            return .drain(connectionsPerSecond: rate, serverReference: reference, isPermanent: isPermanent)
        case OrderKind.endDrain: return .endDrain
        default: return nil
        }
    }

    package mutating func nodeAnswer() throws(MalformedRecord) -> NodeAnswer {
        try byte() == 1 ? .done(try text()) : .refused(try text())
    }
}
