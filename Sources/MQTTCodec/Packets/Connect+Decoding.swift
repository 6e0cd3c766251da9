import MQTTModel

/// The protocol name and level with which CONNECT begins (sections 3.1.2.1 and 3.1.2.2).
enum ConnectProtocol {
    case supported(ProtocolVersion)
    /// Nobody's level; answered in the form of the version that it carries.
    case unsupported(answeredAs: ProtocolVersion)

    /// A level that does not belong to the name gets return code 1 in the form of 3.1.1 [MQTT-3.1.2-2]; a level from 6
    /// on that of 5.0, for a client from the future more likely knows the newest form. 0x83 and 0x84 are what some
    /// brokers' bridges try first; they fall back to 3.1.1 when they get return code 1.
    static func decode(_ reader: inout ByteReader) throws(ProtocolViolation) -> ConnectProtocol {
        let name = try reader.readBinary()
        let isCurrent = name.elementsEqual("MQTT".utf8)
        guard isCurrent || name.elementsEqual("MQIsdp".utf8) else {
            throw .malformed("MQTT-3.1.2-1", "the protocol name is neither MQTT nor MQIsdp")
        }
        let level = try reader.readUInt8()
        if let version = ProtocolVersion(rawValue: level), (version == .v3_1) != isCurrent {
            return .supported(version)
        }
        return .unsupported(answeredAs: isCurrent && level >= 6 && level & 0x7F != 4 ? .v5_0 : .v3_1_1)
    }
}

/// The connect flags (section 3.1.2.3).
struct ConnectFlags {
    let cleanStart: Bool
    /// nil without a will.
    let will: (qos: QoS, isRetained: Bool)?
    let hasUserName: Bool
    let hasPassword: Bool

    init(rawValue: UInt8, version: ProtocolVersion) throws(ProtocolViolation) {
        guard rawValue & 0x01 == 0 else {
            throw .malformed("MQTT-3.1.2-3", "the reserved bit of the connect flags is set")
        }
        cleanStart = rawValue & 0x02 != 0
        guard let qos = QoS(rawValue: (rawValue >> 3) & 0x03) else {
            throw .malformed("MQTT-3.1.2-12", "the will QoS is 3")
        }
        let isRetained = rawValue & 0x20 != 0
        if rawValue & 0x04 != 0 {
            will = (qos, isRetained)
        } else {
            will = nil
            guard qos == .atMostOnce else { throw .malformed("MQTT-3.1.2-11", "a will QoS without will") }
            guard !isRetained else { throw .malformed("MQTT-3.1.2-13", "will retain without will") }
        }
        hasPassword = rawValue & 0x40 != 0
        hasUserName = rawValue & 0x80 != 0
        guard hasUserName || !hasPassword || version == .v5_0 else {
            throw .malformed("MQTT-3.1.2-22", "a password without user name")
        }
    }
}

/// CONNECT, section 3.1, behind the protocol level.
extension Connect {
    static func decode(
        _ reader: inout ByteReader, version: ProtocolVersion, pool: inout MessagePool
    ) throws(ProtocolViolation) -> Connect {
        let flags = try ConnectFlags(rawValue: reader.readUInt8(), version: version)
        let keepAlive = try reader.readUInt16()
        let properties: Properties = version.hasProperties ? try .decode(&reader, in: .connect) : []
        var connect = Connect(
            version: version, clientIdentifier: try reader.readString(), cleanStart: flags.cleanStart,
            keepAlive: keepAlive, properties: properties)
        if let will = flags.will {
            connect.will = try decodeWill(&reader, version: version, pool: &pool)
            connect.will?.message.qos = will.qos
            connect.will?.message.isRetained = will.isRetained
        }
        // 3.1 section 3.1: the remaining length takes precedence over these two flags.
        let mayLack = version == .v3_1
        if flags.hasUserName, !(mayLack && reader.isAtEnd) { connect.userName = try reader.readString() }
        if flags.hasPassword, !(mayLack && reader.isAtEnd) { connect.password = try Array(reader.readBinary()) }
        try reader.requireEnd()
        return connect
    }

    private static func decodeWill(
        _ reader: inout ByteReader, version: ProtocolVersion, pool: inout MessagePool
    ) throws(ProtocolViolation) -> Will {
        let properties: MessageProperties? = version.hasProperties ? try MessageProperties(&reader, in: .will) : nil
        let topic = try reader.readUTF8()
        guard TopicName.isValid(topic) else {
            throw .malformed("MQTT-4.7.3-1", "the will topic is empty or has a wildcard")
        }
        let payload = try reader.readBinary()
        guard let properties else {
            return Will(message: ApplicationMessage(topic: topic, encodedProperties: .empty, payload: payload))
        }
        let message = try pool.make(topic: topic, properties: properties, payload: payload)
        return Will(message: message, delayInterval: properties.willDelayInterval)
    }
}

extension UnsafeRawBufferPointer {
    static var empty: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}
