import MQTTModel

/// Which reason codes which packet may carry (5.0 table 2-6 and the tables of the packets).
extension ReasonCode {
    /// CONNACK [MQTT-3.2.2-8].
    var isForConnAck: Bool {
        switch rawValue {
        case 0x00, 0x80...0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99...0x9D, 0x9F: true
        default: false
        }
    }

    /// PUBACK, PUBREC [MQTT-3.4.2-1, MQTT-3.5.2-1], PUBREL, PUBCOMP [MQTT-3.6.2-1, MQTT-3.7.2-1].
    func isFor(_ kind: Acknowledgement.Kind) -> Bool {
        switch kind {
        case .pubAck, .pubRec:
            switch rawValue {
            case 0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99: true
            default: false
            }
        case .pubRel, .pubComp: rawValue == 0x00 || rawValue == 0x92
        }
    }

    /// SUBACK [MQTT-3.9.3-2].
    var isForSubAck: Bool {
        switch rawValue {
        case 0x00...0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2: true
        default: false
        }
    }

    /// UNSUBACK [MQTT-3.11.3-2].
    var isForUnsubAck: Bool {
        switch rawValue {
        case 0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91: true
        default: false
        }
    }

    /// DISCONNECT [MQTT-3.14.2-1]: what the other side of `receiver` may say. The standard lists 0x00 for clients only;
    /// from a server it says nothing wrong, so it is let through.
    func isForDisconnect(to receiver: PacketDecoder.Role) -> Bool {
        switch rawValue {
        case 0x00, 0x80...0x83, 0x90, 0x93...0x99: true
        case 0x04: receiver == .server
        case 0x87, 0x89, 0x8B, 0x8D...0x8F, 0x9A...0xA2: receiver == .client
        default: false
        }
    }

    /// AUTH [MQTT-3.15.2-1]: success is the server's word, re-authenticate the client's.
    func isForAuth(to receiver: PacketDecoder.Role) -> Bool {
        switch rawValue {
        case 0x00: receiver == .client
        case 0x18: true
        case 0x19: receiver == .server
        default: false
        }
    }
}
