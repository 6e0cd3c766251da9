public import MQTTModel

extension MQTTClient {
    /// Where to connect, as whom, and how the client behaves. All but the host has a default.
    public struct Configuration: Sendable {
        // MARK: Where

        /// A name, or an IPv4 or IPv6 address without brackets.
        public var host: String
        public var port: Int
        public var transport: Transport = .tcp
        public var version: ProtocolVersion = .v5_0

        // MARK: As whom

        /// Empty: a 5.0 server chooses one (`ConnectionInfo.clientIdentifier`); for 3.x the client chooses.
        public var clientIdentifier = ""
        public var userName: String?
        /// Bytes; `Array("secret".utf8)` for text.
        public var password: [UInt8]?
        public var will: Will?

        // MARK: The session

        /// Begin with a new session, whatever the server has. In 5.0 that is for the first connection only: an automatic
        /// reconnect resumes the session. In 3.x each connection has its own session then.
        public var cleanStart = true
        /// How long the server keeps the session while the client is away (5.0): whole seconds, `.seconds(UInt32.max)`
        /// for ever. With `cleanStart`, `disconnect` ends it at once.
        public var sessionExpiryInterval: Duration = .seconds(300)
        /// The longest time without a packet to the server; whole seconds, at most 65,535; zero turns pings off.
        public var keepAlive: Duration = .seconds(60)
        /// Further properties of CONNECT: request response information, user properties, authentication and so on.
        /// 5.0 only.
        public var properties: Properties = []

        // MARK: Bounds

        /// The time for a connection to be made, and again for the server to answer CONNECT.
        public var connectTimeout: Duration = .seconds(10)
        /// The time for the server to answer a ping.
        public var pingTimeout: Duration = .seconds(10)
        /// Messages that wait for the application in `messages`. When it is reached the client stops reading.
        public var messageBufferCapacity = 1024
        /// Bytes of their topics and payloads, likewise. One message is taken even if it is larger.
        public var messageBufferByteCapacity = 1 << 26
        /// How long the client waits for the application to take a message, once it has stopped reading, if a call waits
        /// for an answer of the server all the while: the answer may be behind what is not read, and the call in the way
        /// of whoever takes the messages. After that it reads on without QoS 0 messages, which `Event.messagesDropped`
        /// counts, until half the buffer is free.
        public var stallTimeout: Duration = .seconds(5)
        /// QoS 1 and 2 messages from the server that may be unacknowledged (Receive Maximum); 1...65,535.
        public var receiveMaximum: UInt16 = 256
        /// The largest packet that the client takes, bytes.
        public var maximumPacketSize: UInt32 = 1 << 24
        /// Topic aliases that the server may use.
        public var topicAliasMaximum: UInt16 = 16
        /// Topic aliases that the client uses, if the server allows as many.
        public var maximumOutboundTopicAliases: UInt16 = 0
        /// QoS 1 and 2 messages to the server that are sent and not acknowledged; the server's Receive Maximum counts
        /// if lower.
        public var maximumInflightMessages: UInt16 = 64
        /// QoS 1 and 2 messages that wait for their turn or for a connection; above it `publish` waits to begin.
        public var maximumQueuedMessages = 1024

        // MARK: Coming back

        public var reconnect = ReconnectPolicy()

        public init(host: String, port: Int = 1883) {
            self.host = host
            self.port = port
        }
    }

    /// What carries the bytes. TLS will be another one beside `tcp`, with its settings, and nothing else changes.
    public struct Transport: Sendable, Hashable {
        enum Kind: Sendable, Hashable { case tcp }

        let kind: Kind

        /// Plain TCP.
        public static let tcp = Transport(kind: .tcp)
    }
}
