package import MQTTModel
package import TransportModel

/// What one bridge links, and how. A fresh value holds the defaults.
package struct BridgeOptions: Sendable, Hashable {
    // MARK: Where

    /// The name of the bridge: that of its section, and of its session in the local broker.
    package var name: String
    /// The remote broker; with several, the next one is tried when one fails.
    package var addresses: [ListenAddress] = []
    /// Which topics go which way.
    package var topics: [BridgeTopic] = []
    package var version = Version.v5_0
    /// Whether a 3.1.1 CONNECT has the top bit of its protocol level set, which tells brokers that know it (Mosquitto)
    /// that this is a bridge: they leave the RETAIN flag as it is and send no message back to where it came from. One that
    /// refuses it is asked without.
    package var usesBridgeBit = true

    package enum Version: String, Sendable, CaseIterable {
        case v3_1_1 = "3.1.1"
        case v5_0 = "5.0"

        package var protocolVersion: ProtocolVersion { self == .v5_0 ? .v5_0 : .v3_1_1 }
    }

    // MARK: As whom

    /// The client identifier at the remote broker. No other client of it may have the same.
    package var clientIdentifier = ""
    package var userName: String?
    /// Its first line is the password.
    package var passwordFile: String?
    /// The same towards the local broker, where something checks its clients.
    package var localUserName: String?
    package var localPasswordFile: String?

    /// The client identifier at the local broker.
    package var localClientIdentifier: String { "bridge/\(name)" }

    /// Of the request, over WebSocket.
    package var webSocketPath = "/mqtt"

    // MARK: TLS

    /// PEM file with the authorities that the remote's certificate may come from; nil: the system's.
    package var authority: String?
    /// PEM file with the bridge's own certificate, and the one with its key.
    package var certificate: String?
    package var key: String?
    /// Whether the remote's certificate has to bear the name of its address.
    package var verifiesHost = true

    // MARK: Loops

    /// What the local and the remote broker are called in the path that messages carry. Without `remoteName` a message
    /// can come back to the remote broker over other bridges once, and goes no further then.
    package var localName: String?
    package var remoteName: String?
    /// Brokers that a message may have come through; it goes no further then.
    package var maximumHops = 8

    // MARK: Bounds

    package var keepAlive = Duration.seconds(60)
    /// How long the remote broker keeps the session while there is no link (5.0).
    package var sessionExpiry = Duration.seconds(30 * 86_400)
    /// QoS 1 and 2 messages under way in each direction.
    package var maximumInflightMessages: UInt16 = 64
    /// Largest packet from the remote broker, bytes.
    package var maximumPacketSize: UInt32 = 1 << 20
    /// Bytes of messages from a 3.1.1 broker that wait because the local one has as many unacknowledged as it takes.
    package var maximumPendingBytes = 1 << 26
    /// Time for a connection to be made, and for CONNECT to be answered.
    package var connectTimeout = Duration.seconds(10)
    /// Time for a ping to be answered.
    package var pingTimeout = Duration.seconds(20)
    /// Before the first new attempt; each further delay is twice the one before, up to the longest.
    package var shortestDelay = Duration.seconds(1)
    package var longestDelay = Duration.seconds(60)

    package init(name: String) { self.name = name }
}
