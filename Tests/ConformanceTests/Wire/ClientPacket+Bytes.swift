import MQTTModel

extension ClientPacket {
    /// The packet on the wire. `name` is the client's; `identifier` looks up those that the broker chose.
    func bytes(version: ProtocolVersion, name: String, identifier: (Identifier) throws -> UInt16) rethrows -> [UInt8] {
        switch self {
        case .connection(let fields): return fields.bytes(version: fields.version ?? version, name: name)
        case .publication(let topic, let payload, let qos, let isDuplicate, let isRetained, let id, let properties):
            let number = try id.map(identifier)
            let flags = (isDuplicate ? 8 : 0) | qos << 1 | (isRetained ? 1 : 0)
            return WireWriter.packet(0x30 | flags) { writer in
                writer.write(topic)
                if let number { writer.write(short: number) }
                if version.hasProperties { writer.write(properties) }
                writer.bytes += payload.bytes
            }
        case .acknowledgement(let type, let id, let code, let properties):
            let number = try identifier(id)
            return WireWriter.packet(type.rawValue << 4 | (type == .pubRel ? 2 : 0)) { writer in
                writer.write(short: number)
                guard version.hasProperties else { return }
                if let code { writer.write(byte: code) }
                if let properties { writer.write(properties) }
            }
        case .subscription(let id, let filters, let properties):
            let number = try identifier(id)
            return WireWriter.packet(0x82) { writer in
                writer.write(short: number)
                if version.hasProperties { writer.write(properties) }
                for entry in filters {
                    writer.write(entry.filter)
                    writer.write(byte: entry.options)
                }
            }
        case .unsubscription(let id, let filters, let properties):
            let number = try identifier(id)
            return WireWriter.packet(0xA2) { writer in
                writer.write(short: number)
                if version.hasProperties { writer.write(properties) }
                for filter in filters { writer.write(filter) }
            }
        case .pingReq: return [0xC0, 0x00]
        case .disconnection(let code, let properties):
            return WireWriter.packet(0xE0) { writer in
                guard version.hasProperties else { return }
                if let code { writer.write(byte: code) }
                if let properties { writer.write(properties) }
            }
        case .authentication(let code, let properties):
            return WireWriter.packet(0xF0) { writer in
                writer.write(byte: code)
                writer.write(properties)
            }
        case .flaggedConnect(let flags, let payload):
            return WireWriter.packet(0x10) { writer in
                writer.write(Text(version.protocolName))
                writer.bytes += [version.rawValue, flags, 0, 0]
                if version.hasProperties { writer.write(byte: 0) }
                writer.bytes += payload
            }
        case .raw(let bytes): return bytes
        case .joined(let packets):
            return try packets.flatMap { try $0.bytes(version: version, name: name, identifier: identifier) }
        }
    }
}

extension ConnectFields {
    func bytes(version: ProtocolVersion, name: String) -> [UInt8] {
        var flags: UInt8 = isClean ? 0x02 : 0
        if let will { flags |= 0x04 | will.qos << 3 | (will.isRetained ? 0x20 : 0) }
        if password != nil { flags |= 0x40 }
        if userName != nil { flags |= 0x80 }
        return WireWriter.packet(0x10) { writer in
            writer.write(Text(version.protocolName))
            writer.write(byte: version.rawValue)
            writer.write(byte: flags)
            writer.write(short: keepAlive)
            if version.hasProperties { writer.write(properties) }
            writer.write(clientIdentifier ?? Text(name))
            if let will {
                if version.hasProperties { writer.write(will.properties) }
                writer.write(will.topic)
                writer.write(prefixed: will.payload.bytes)
            }
            if let userName { writer.write(userName) }
            if let password { writer.write(prefixed: password.bytes) }
        }
    }
}
