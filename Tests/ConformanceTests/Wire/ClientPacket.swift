import MQTTModel

/// A packet identifier in an exchange: a number that the client chose, or the name of one that the broker chose.
enum Identifier: Sendable, Hashable, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    case number(UInt16)
    case named(String)

    init(integerLiteral value: UInt16) { self = .number(value) }
    init(stringLiteral value: String) { self = .named(value) }
}

/// A will as CONNECT carries it.
struct WillFields: Sendable {
    var topic: Text
    var payload: Text
    var qos: UInt8
    var isRetained: Bool
    var properties: PropertyList
}

/// The fields of a CONNECT. Whatever is nil is not sent.
struct ConnectFields: Sendable {
    /// nil: the version that the exchange is run with.
    var version: ProtocolVersion?
    /// nil: the client's name.
    var clientIdentifier: Text?
    var isClean = true
    var keepAlive: UInt16 = 0
    var will: WillFields?
    var userName: Text?
    var password: Text?
    var properties: PropertyList = []
}

/// One entry of a SUBSCRIBE.
struct FilterFields: Sendable {
    var filter: Text
    /// The options byte; in 3.x the QoS.
    var options: UInt8
}

/// What a client sends: a packet whose fields are within the types of the standard but not always within its rules, or
/// bytes.
enum ClientPacket: Sendable {
    case connection(ConnectFields)
    case publication(
        topic: Text, payload: Text, qos: UInt8, isDuplicate: Bool, isRetained: Bool, Identifier?, PropertyList)
    case acknowledgement(PacketType, Identifier, code: UInt8?, PropertyList?)
    case subscription(Identifier, [FilterFields], PropertyList)
    case unsubscription(Identifier, [Text], PropertyList)
    case pingReq
    case disconnection(code: UInt8?, PropertyList?)
    case authentication(code: UInt8, PropertyList)
    /// CONNECT of the exchange's version with these flags and this payload, and a keep alive of 0.
    case flaggedConnect(flags: UInt8, payload: [UInt8])
    case raw([UInt8])
    case joined([ClientPacket])
}

extension ClientPacket {
    static func connect(
        as version: ProtocolVersion? = nil, id: Text? = nil, clean: Bool = true, keepAlive: UInt16 = 0,
        will: WillFields? = nil, user: Text? = nil, password: Text? = nil, _ properties: PropertyList = []
    ) -> ClientPacket {
        .connection(
            ConnectFields(
                version: version, clientIdentifier: id, isClean: clean, keepAlive: keepAlive, will: will,
                userName: user, password: password, properties: properties))
    }

    static func publish(
        _ topic: Text, _ payload: Text, qos: UInt8 = 0, id: Identifier? = nil, dup: Bool = false,
        retain: Bool = false, _ properties: PropertyList = []
    ) -> ClientPacket {
        .publication(
            topic: topic, payload: payload, qos: qos, isDuplicate: dup, isRetained: retain, id, properties)
    }

    static func pubAck(_ id: Identifier, _ code: UInt8? = nil, _ properties: PropertyList? = nil) -> ClientPacket {
        .acknowledgement(.pubAck, id, code: code, properties)
    }
    static func pubRec(_ id: Identifier, _ code: UInt8? = nil, _ properties: PropertyList? = nil) -> ClientPacket {
        .acknowledgement(.pubRec, id, code: code, properties)
    }
    static func pubRel(_ id: Identifier, _ code: UInt8? = nil, _ properties: PropertyList? = nil) -> ClientPacket {
        .acknowledgement(.pubRel, id, code: code, properties)
    }
    static func pubComp(_ id: Identifier, _ code: UInt8? = nil, _ properties: PropertyList? = nil) -> ClientPacket {
        .acknowledgement(.pubComp, id, code: code, properties)
    }

    static func subscribe(
        _ filters: FilterFields..., id: Identifier = 1, _ properties: PropertyList = []
    ) -> ClientPacket {
        .subscription(id, filters, properties)
    }

    static func unsubscribe(
        _ filters: Text..., id: Identifier = 1, _ properties: PropertyList = []
    ) -> ClientPacket {
        .unsubscription(id, filters, properties)
    }

    static func disconnect(_ code: UInt8? = nil, _ properties: PropertyList? = nil) -> ClientPacket {
        .disconnection(code: code, properties)
    }

    static func auth(_ code: UInt8, _ properties: PropertyList = []) -> ClientPacket {
        .authentication(code: code, properties)
    }

    /// CONNECT with any protocol name and level, clean, as client `a`.
    static func connect(name: Text, level: UInt8) -> ClientPacket {
        .raw(
            WireWriter.packet(0x10) { writer in
                writer.write(name)
                writer.bytes += [level, 0x02, 0x00, 0x00]
                if level >= 5 { writer.write(byte: 0) }
                writer.write("a")
            })
    }

    static func connect(flags: UInt8, _ payload: String) -> ClientPacket {
        .flaggedConnect(flags: flags, payload: .hex(payload))
    }

    static func hex(_ digits: String) -> ClientPacket { .raw(.hex(digits)) }
}

extension WillFields {
    static func will(
        _ topic: Text, _ payload: Text, qos: UInt8 = 0, retain: Bool = false, delay: UInt32? = nil,
        _ properties: PropertyList = []
    ) -> WillFields {
        let delayed: PropertyList = delay.map { [.willDelayInterval($0)] } ?? []
        return WillFields(
            topic: topic, payload: payload, qos: qos, isRetained: retain, properties: delayed + properties)
    }
}

extension FilterFields {
    static func filter(
        _ filter: Text, qos: UInt8 = 0, noLocal: Bool = false, retainAsPublished: Bool = false, handling: UInt8 = 0
    ) -> FilterFields {
        FilterFields(
            filter: filter, options: qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | handling << 4)
    }

    static func filter(_ filter: Text, options: UInt8) -> FilterFields {
        FilterFields(filter: filter, options: options)
    }
}
