@_exported public import MQTTModel

/// What a call of the client throws: a code to decide by, and a text that says what to do about it.
///
/// The set of codes may grow; compare the ones you handle and treat the rest alike.
public struct MQTTClientError: Error, Sendable, Hashable {
    /// The kind of an error.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Name: String {
            case hostUnreachable, connectionRefused, connectTimedOut, pingTimedOut, connectionLost,
                disconnectedByServer, protocolViolation, notConnected, alreadyConnected, closed, publishRefused,
                sessionLost, packetTooLarge, qosNotSupported, retainNotSupported, invalidTopic, invalidFilter,
                invalidConfiguration
        }

        private let name: Name

        private init(_ name: Name) { self.name = name }

        public var description: String { name.rawValue }

        /// No network connection could be made: the name is not known, nobody listens, or the network is down.
        public static let hostUnreachable = Code(.hostUnreachable)
        /// The server answered CONNECT with a refusal; `reasonCode` says which.
        public static let connectionRefused = Code(.connectionRefused)
        /// The server did not answer CONNECT in time.
        public static let connectTimedOut = Code(.connectTimedOut)
        /// The server did not answer a ping in time.
        public static let pingTimedOut = Code(.pingTimedOut)
        /// The network connection ended without a word.
        public static let connectionLost = Code(.connectionLost)
        /// The server ended the connection; `reasonCode` says why.
        public static let disconnectedByServer = Code(.disconnectedByServer)
        /// The server sent what the standard does not allow.
        public static let protocolViolation = Code(.protocolViolation)
        /// The client is not connected, and what was asked for cannot wait.
        public static let notConnected = Code(.notConnected)
        /// `connect` was called while the client is connected or connecting.
        public static let alreadyConnected = Code(.alreadyConnected)
        /// The client was disconnected by its own application.
        public static let closed = Code(.closed)
        /// The server refused the message; `reasonCode` says why.
        public static let publishRefused = Code(.publishRefused)
        /// The server lost the session before it answered: the message may have been published or not.
        public static let sessionLost = Code(.sessionLost)
        /// The packet is larger than the server takes.
        public static let packetTooLarge = Code(.packetTooLarge)
        /// The server does not take messages of this QoS.
        public static let qosNotSupported = Code(.qosNotSupported)
        /// The server does not keep retained messages.
        public static let retainNotSupported = Code(.retainNotSupported)
        /// Not a topic name: empty, longer than 65,535 bytes, or with a wildcard.
        public static let invalidTopic = Code(.invalidTopic)
        /// Not a topic filter.
        public static let invalidFilter = Code(.invalidFilter)
        /// The configuration contradicts itself or the protocol version.
        public static let invalidConfiguration = Code(.invalidConfiguration)
    }

    public let code: Code
    /// What happened, and where it helps what to do, in a sentence.
    public let message: String
    /// The server's reason code, where there is one. The return codes of 3.x are given as those that mean the same.
    public let reasonCode: ReasonCode?
    /// Where in the client it was thrown.
    public let file: String
    public let line: Int

    init(
        _ code: Code, _ message: String, reasonCode: ReasonCode? = nil, file: String = #fileID, line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.reasonCode = reasonCode
        self.file = file
        self.line = line
    }

    /// Two errors are the same if they mean the same, wherever they were thrown.
    public static func == (left: MQTTClientError, right: MQTTClientError) -> Bool {
        left.code == right.code && left.message == right.message && left.reasonCode == right.reasonCode
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(code)
        hasher.combine(message)
        hasher.combine(reasonCode)
    }
}

extension MQTTClientError: CustomStringConvertible {
    public var description: String { message }
}
