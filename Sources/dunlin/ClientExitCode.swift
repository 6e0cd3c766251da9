import ArgumentParser
import MQTTClient

/// With what `dunlin pub` and `dunlin sub` end, beside 0 and the argument parser's own 64 for a command line that it
/// cannot read. The small numbers are those of mosquitto_pub and mosquitto_sub where they have one.
enum ClientExitCode {
    /// The input cannot be read, or something that has no number of its own.
    static let failure = ExitCode(1)
    /// The server does not keep to the protocol.
    static let protocolViolation = ExitCode(2)
    /// No connection could be made.
    static let unreachable = ExitCode(5)
    /// The connection was lost, and not made anew.
    static let connectionLost = ExitCode(7)
    /// The message is larger than the server takes.
    static let tooLarge = ExitCode(9)
    /// The server does not support what the message asks for.
    static let notSupported = ExitCode(10)
    /// `-W` has passed.
    static let timedOut = ExitCode(27)

    static let help = """
        Exit codes: 0 done, or ended by SIGINT or SIGTERM; 1 input that cannot be read, and other failures; 2 the server \
        does not keep to the protocol; 5 no connection could be made; 7 the connection was lost; 9 the message is too \
        large for the server; 10 the server does not support the QoS or retained messages; 27 timed out (-W); 64 bad \
        command line; 128-162 the MQTT 5 reason code with which the server refused the connection, the message or the \
        subscription (for 3.x: the one that means the same, such as 134 for a bad user name or password).
        """

    static func code(for error: MQTTClientError) -> ExitCode {
        switch error.code {
        case .protocolViolation: return protocolViolation
        case .hostUnreachable, .connectTimedOut: return unreachable
        case .connectionLost, .pingTimedOut: return connectionLost
        case .packetTooLarge: return tooLarge
        case .qosNotSupported, .retainNotSupported: return notSupported
        default: break
        }
        guard let reasonCode = error.reasonCode, reasonCode.isError else { return failure }
        return ExitCode(Int32(reasonCode.rawValue))
    }
}
