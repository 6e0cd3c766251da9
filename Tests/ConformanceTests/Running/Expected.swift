import MQTTModel

/// What a client has to get: a packet, in the fields that a rule is about. Its form is checked in any case.
enum Expected: Sendable {
    case exactly([UInt8])
    case connAcknowledgement(codes: [UInt8], isPresent: Bool, properties: [Property], absent: [PropertyIdentifier])
    /// CONNACK 0x00 with an Assigned Client Identifier, whatever it is.
    case assignment
    case publication(PublicationFields)
    case acknowledgement(PacketType, Identifier, codes: [UInt8])
    case subscriptionAcknowledgement(PacketType, Identifier, codes: [UInt8])
    case pingResp
    case disconnection([UInt8])
    case authentication(UInt8, [Property])

    struct PublicationFields: Sendable {
        var topic: Text
        var payload: Text
        var qos: UInt8
        var id: Identifier?
        var isDuplicate: Bool
        var isRetained: Bool
        /// All of them but subscription identifiers and the topic alias: user properties in order, others in any.
        var properties: [Property]
        var subscriptionIdentifiers: [UInt32]
        var topicAlias: UInt16?
    }
}

extension Expected {
    static func hex(_ digits: String) -> Expected { .exactly(.hex(digits)) }

    /// `has` are properties that have to be there with these values; `absent` ones that must not.
    static func connAck(
        _ code: UInt8, present: Bool = false, has properties: [Property] = [], absent: [PropertyIdentifier] = []
    ) -> Expected {
        .connAcknowledgement(codes: [code], isPresent: present, properties: properties, absent: absent)
    }

    static func publish(
        _ topic: Text, _ payload: Text, qos: UInt8 = 0, id: Identifier? = nil, dup: Bool = false,
        retain: Bool = false, _ properties: [Property] = [], identifiers: [UInt32] = [], alias: UInt16? = nil
    ) -> Expected {
        .publication(
            PublicationFields(
                topic: topic, payload: payload, qos: qos, id: id, isDuplicate: dup, isRetained: retain,
                properties: properties, subscriptionIdentifiers: identifiers, topicAlias: alias))
    }

    /// 0x10, no matching subscribers, is a success that a server may use or not.
    static func pubAck(_ id: Identifier, _ codes: [UInt8] = [0x00, 0x10]) -> Expected {
        .acknowledgement(.pubAck, id, codes: codes)
    }
    static func pubRec(_ id: Identifier, _ codes: [UInt8] = [0x00, 0x10]) -> Expected {
        .acknowledgement(.pubRec, id, codes: codes)
    }
    static func pubRel(_ id: Identifier, _ codes: [UInt8] = [0x00]) -> Expected {
        .acknowledgement(.pubRel, id, codes: codes)
    }
    static func pubComp(_ id: Identifier, _ codes: [UInt8] = [0x00]) -> Expected {
        .acknowledgement(.pubComp, id, codes: codes)
    }
    static func subAck(_ id: Identifier, _ codes: [UInt8]) -> Expected {
        .subscriptionAcknowledgement(.subAck, id, codes: codes)
    }
    /// In 3.x there are no codes, and none are looked for.
    static func unsubAck(_ id: Identifier, _ codes: [UInt8]) -> Expected {
        .subscriptionAcknowledgement(.unsubAck, id, codes: codes)
    }
    static func disconnect(_ codes: UInt8...) -> Expected { .disconnection(codes) }
    /// With exactly these properties, in any order.
    static func auth(_ code: UInt8, _ properties: [Property]) -> Expected { .authentication(code, properties) }
}

extension Expected {
    /// What is wrong with the packet, or nil. `match` binds or compares packet identifiers; `isTimed` says that time
    /// runs by itself, so that a counted-down interval may be a second lower.
    func mismatch(
        _ packet: ServerPacket, version: ProtocolVersion, isTimed: Bool, match: (Identifier, UInt16) -> String?
    ) -> String? {
        switch self {
        case .exactly(let bytes): return packet.bytes == bytes ? nil : "expected \(bytes.hexDigits)"
        case .connAcknowledgement(let codes, let isPresent, let properties, let absent):
            guard packet.type == .connAck else { return "expected CONNACK" }
            guard codes.contains(packet.reasonCodes[0]) else { return "expected one of \(codes.hexDigits)" }
            // 3.1 has no Session Present; the byte is reserved.
            guard packet.isSessionPresent == (isPresent && version != .v3_1) else { return "session present" }
            guard version.hasProperties else { return nil }
            for property in properties where !packet.properties.contains(property) { return "no \(property)" }
            for property in packet.properties {
                let number = PropertyList([property]).bytes[0]
                if absent.contains(where: { $0.rawValue == number }) { return "\(property)" }
            }
            return nil
        case .assignment:
            guard packet.type == .connAck, packet.reasonCodes == [0] else { return "expected CONNACK 00" }
            let assigned = Properties(packet.properties).assignedClientIdentifier
            return assigned?.isEmpty == false ? nil : "expected an Assigned Client Identifier"
        case .publication(let fields):
            return fields.mismatch(packet, version: version, isTimed: isTimed, match: match)
        case .acknowledgement(let type, let id, let codes):
            guard packet.type == type else { return "expected \(type)" }
            if let fault = match(id, packet.packetIdentifier) { return fault }
            guard version.hasProperties else { return nil }
            return codes.contains(packet.reasonCodes[0]) ? nil : "expected one of \(codes.hexDigits)"
        case .subscriptionAcknowledgement(let type, let id, let codes):
            guard packet.type == type else { return "expected \(type)" }
            if let fault = match(id, packet.packetIdentifier) { return fault }
            let known =
                version.hasProperties
                ? codes : type == .unsubAck ? [] : codes.map { $0 >= 0x80 ? 0x80 : $0 }
            return packet.reasonCodes == known ? nil : "expected \(known.hexDigits)"
        case .pingResp: return packet.type == .pingResp ? nil : "expected PINGRESP"
        case .disconnection(let codes):
            guard packet.type == .disconnect else { return "expected DISCONNECT" }
            return codes.contains(packet.reasonCodes[0]) ? nil : "expected one of \(codes.hexDigits)"
        case .authentication(let code, let properties):
            guard packet.type == .auth, packet.reasonCodes == [code] else { return "expected AUTH \(code)" }
            return Set(packet.properties) == Set(properties) ? nil : "expected properties \(properties)"
        }
    }
}

extension Expected.PublicationFields {
    func mismatch(
        _ packet: ServerPacket, version: ProtocolVersion, isTimed: Bool, match: (Identifier, UInt16) -> String?
    ) -> String? {
        guard packet.type == .publish else { return "expected PUBLISH \(topic) \(payload)" }
        guard packet.topic == topic.bytes, packet.payload == payload.bytes else {
            return "expected \(topic) \(payload)"
        }
        guard packet.qos == qos else { return "expected QoS \(qos)" }
        guard packet.isDuplicate == isDuplicate else { return "expected DUP \(isDuplicate)" }
        guard packet.isRetained == isRetained else { return "expected RETAIN \(isRetained)" }
        if let id, let fault = match(id, packet.packetIdentifier) { return fault }
        guard version.hasProperties else { return nil }
        var identifiers: [UInt32] = []
        var aliases: [UInt16] = []
        var forwarded: [Property] = []
        for property in packet.properties {
            switch property {
            case .subscriptionIdentifier(let value): identifiers.append(value)
            case .topicAlias(let value): aliases.append(value)
            default: forwarded.append(property)
            }
        }
        guard identifiers.sorted() == subscriptionIdentifiers.sorted() else {
            return "expected subscription identifiers \(subscriptionIdentifiers)"
        }
        guard aliases == (topicAlias.map { [$0] } ?? []) else { return "expected alias \(topicAlias ?? 0)" }
        return forwardedMismatch(forwarded, isTimed: isTimed)
    }

    private func forwardedMismatch(_ forwarded: [Property], isTimed: Bool) -> String? {
        func users(_ list: [Property]) -> [Property] {
            list.filter { if case .userProperty = $0 { true } else { false } }
        }
        guard users(forwarded) == users(properties) else { return "expected user properties \(users(properties))" }
        func others(_ list: [Property]) -> Set<Property> { Set(list).subtracting(users(list)) }
        let (got, wanted) = (others(forwarded), others(properties))
        if got == wanted { return nil }
        let lowered = wanted.map { property in
            if isTimed, case .messageExpiryInterval(let seconds) = property, seconds > 0 {
                return Property.messageExpiryInterval(seconds - 1)
            }
            return property
        }
        return got == Set(lowered) ? nil : "expected properties \(properties)"
    }
}
