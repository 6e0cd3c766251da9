import MQTTModel
import MQTTSession
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

// What went wrong, in words that say what to do.
extension MQTTClientError {
    static func refused(_ connAck: ConnAck) -> MQTTClientError {
        var text = "the server refused the connection: \(connAck.reasonCode)"
        if let reason = connAck.properties.reasonString { text += " (\(reason))" }
        if let reference = connAck.properties.serverReference { text += "; it refers to \(reference)" }
        if let advice = advice(connAck.reasonCode) { text += "; \(advice)" }
        return MQTTClientError(.connectionRefused, text, reasonCode: connAck.reasonCode)
    }

    private static func advice(_ reasonCode: ReasonCode) -> String? {
        switch reasonCode {
        case .badUserNameOrPassword, .notAuthorized: "check user name and password"
        case .clientIdentifierNotValid: "choose another client identifier"
        case .unsupportedProtocolVersion: "try another protocol version"
        case .qosNotSupported: "lower the QoS of the will"
        case .retainNotSupported: "the will must not be retained"
        default: nil
        }
    }

    static func disconnected(_ packet: Disconnect) -> MQTTClientError {
        var text = "the server ended the connection: \(packet.reasonCode)"
        if packet.reasonCode == .normalDisconnection { text = "the server ended the connection" }
        if let reason = packet.properties.reasonString { text += " (\(reason))" }
        if packet.reasonCode == .sessionTakenOver {
            text += "; another client has connected with the same client identifier"
        }
        if let reference = packet.properties.serverReference { text += "; it refers to \(reference)" }
        return MQTTClientError(.disconnectedByServer, text, reasonCode: packet.reasonCode)
    }

    static func violation(_ violation: ProtocolViolation) -> MQTTClientError {
        MQTTClientError(
            .protocolViolation, "the server does not keep to the protocol: \(violation)",
            reasonCode: violation.reasonCode)
    }

    static func publishRefused(_ reasonCode: ReasonCode, _ properties: Properties) -> MQTTClientError {
        let reason = properties.reasonString.map { " (\($0))" } ?? ""
        return MQTTClientError(
            .publishRefused, "the server refused the message: \(reasonCode)\(reason)", reasonCode: reasonCode)
    }

    static func lost(_ configuration: MQTTClient.Configuration) -> MQTTClientError {
        MQTTClientError(.connectionLost, "the connection to \(configuration.address) was lost")
    }

    static func connectTimedOut(_ configuration: MQTTClient.Configuration) -> MQTTClientError {
        MQTTClientError(
            .connectTimedOut,
            "\(configuration.address) accepted the connection but did not answer as an MQTT broker does")
    }

    static func pingTimedOut(_ configuration: MQTTClient.Configuration) -> MQTTClientError {
        MQTTClientError(.pingTimedOut, "\(configuration.address) no longer answers")
    }

    init(_ refusal: PublishRefusal) {
        switch refusal {
        case .notConnected:
            self.init(.notConnected, "the client is not connected, and a QoS 0 message does not wait for it")
        case .queueFull: self.init(.notConnected, "too many messages wait to be sent")
        case .packetTooLarge: self.init(.packetTooLarge, "the message is larger than the server takes")
        case .qosNotSupported: self.init(.qosNotSupported, "the server does not take messages of this QoS")
        case .retainNotSupported: self.init(.retainNotSupported, "the server does not keep retained messages")
        }
    }

    // MARK: The network

    static func unreachable(_ configuration: MQTTClient.Configuration, _ cause: any Error) -> MQTTClientError {
        let address = configuration.address
        if let error = cause as? NIOConnectionError {
            if let first = error.connectionErrors.first { return unreachable(configuration, first.error) }
            return MQTTClientError(
                .hostUnreachable, "cannot find the host \"\(configuration.host)\": check its name")
        }
        if case .connectTimeout = cause as? ChannelError {
            return MQTTClientError(
                .hostUnreachable, "\(address) did not answer in time: is it the right address, and no firewall between?"
            )
        }
        guard let errorCode = (cause as? IOError)?.errnoCode else {
            return MQTTClientError(.hostUnreachable, "cannot connect to \(address): \(cause)")
        }
        switch errorCode {
        case ECONNREFUSED:
            return MQTTClientError(
                .hostUnreachable, "\(address) refused the connection: is a broker listening there?")
        case ENETUNREACH, EHOSTUNREACH:
            return MQTTClientError(.hostUnreachable, "there is no way to \(address): is the network up?")
        default:
            return MQTTClientError(
                .hostUnreachable, "cannot connect to \(address): \(String(cString: strerror(errorCode)))")
        }
    }

    /// Whether the same attempt may succeed later. A takeover is not answered by another: two clients with one
    /// identifier would throw each other out for ever.
    var isWorthAnotherAttempt: Bool {
        switch reasonCode {
        case .malformedPacket?, .protocolError?, .unsupportedProtocolVersion?, .clientIdentifierNotValid?,
            .badUserNameOrPassword?, .notAuthorized?, .banned?, .badAuthenticationMethod?, .sessionTakenOver?,
            .topicNameInvalid?, .packetTooLarge?, .payloadFormatInvalid?, .retainNotSupported?, .qosNotSupported?,
            .useAnotherServer?, .serverMoved?:
            false
        default: true
        }
    }
}

extension MQTTClient.Configuration {
    /// HOST:PORT, for people.
    var address: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
