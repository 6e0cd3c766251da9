public import MQTTModel
import MQTTSession

extension MQTTClient {
    /// What the server said when it accepted the connection. The limits are those of a server that says nothing in 3.x.
    public struct ConnectionInfo: Sendable, Hashable {
        /// The server had the session of an earlier connection.
        public let isSessionPresent: Bool
        /// The client's identifier; the one that the server chose, if it did.
        public let clientIdentifier: String
        /// Seconds; the server's if it set one.
        public let keepAlive: UInt16
        /// QoS 1 and 2 messages that the server takes at a time.
        public let receiveMaximum: UInt16
        public let maximumQoS: QoS
        public let isRetainAvailable: Bool
        /// Bytes of the largest packet that the server takes; nil when it set none.
        public let maximumPacketSize: UInt32?
        /// All properties of CONNACK.
        public let properties: Properties

        init(_ connAck: ConnAck, _ limits: ServerLimits, clientIdentifier: String) {
            isSessionPresent = connAck.isSessionPresent
            self.clientIdentifier = clientIdentifier
            keepAlive = limits.keepAlive
            receiveMaximum = limits.receiveMaximum
            maximumQoS = limits.maximumQoS
            isRetainAvailable = limits.isRetainAvailable
            maximumPacketSize = limits.maximumPacketSize
            properties = connAck.properties
        }
    }

    /// Something that happened to the connection. Cases may be added: have a `default` when you switch over it.
    public enum Event: Sendable, Hashable {
        case connected(ConnectionInfo)
        /// The connection is over, and why. A `reconnecting` or `closed` follows.
        case connectionLost(MQTTClientError)
        /// The next attempt begins after the delay, because the connection or the last attempt failed.
        case reconnecting(attempt: Int, delay: Duration, after: MQTTClientError)
        /// The server had lost the session, and its answer to the subscriptions that were made again.
        case resubscribed([Subscription], SubscribeResult)
        /// QoS 0 messages were left out because the application took none; see `Configuration.stallTimeout`.
        case messagesDropped(Int)
        /// The client is closed, by `disconnect` (nil) or by an error that it does not come back from.
        case closed(MQTTClientError?)
    }
}
