import DequeModule
import MQTTModel

/// What the bridge knows of one of its two brokers.
struct Peer {
    var limits = PeerLimits()
    var liveness = Liveness()
    var window = RelayWindow()
    /// SUBSCRIBEs without an answer.
    var subscribes: [PacketIdentifier: [String]] = [:]
    /// Whether the broker may hold packet identifiers of messages from a session of the other one that is gone; until
    /// they are released it would take a new message for one of those. Outlives the connection.
    var needsRelease = false
    /// The releases that are under way.
    var releasing: Releasing?
    /// Whether the driver does not read from it.
    var isReadingPaused = false

    mutating func startConnection() {
        window = RelayWindow()
        subscribes = [:]
        releasing = nil
        isReadingPaused = false
    }
}

/// What a broker allows, from its CONNACK; the defaults are those of one that says nothing.
struct PeerLimits {
    var version = ProtocolVersion.v5_0
    var isSessionPresent = false
    var receiveMaximum: UInt16 = .max
    var maximumQoS = QoS.exactlyOnce
    var isRetainAvailable = true
    /// Bytes of a whole packet; nil without a limit.
    var maximumPacketSize: UInt32?
    /// Seconds.
    var keepAlive: UInt16 = 0

    /// Messages under way to a 3.1.1 broker, which does not say how many it takes. Mosquitto takes 20 if it is not told
    /// otherwise, and version 2.0 answers QoS 2 messages beyond that and drops them.
    static let unstatedReceiveMaximum: UInt16 = 20

    init() {}

    init(_ connAck: ConnAck, version: ProtocolVersion, keepAlive: UInt16) {
        self.version = version
        self.isSessionPresent = connAck.isSessionPresent
        self.keepAlive = keepAlive
        guard version.hasProperties else {
            receiveMaximum = Self.unstatedReceiveMaximum
            return
        }
        let properties = connAck.properties
        receiveMaximum = properties.receiveMaximum ?? .max
        maximumQoS = properties.maximumQoS.flatMap(QoS.init(rawValue:)) ?? .exactlyOnce
        isRetainAvailable = properties.retainAvailable != 0
        maximumPacketSize = properties.maximumPacketSize
        self.keepAlive = properties.serverKeepAlive ?? keepAlive
    }
}

/// Packet identifiers 1 to 65,535 on their way to be released.
struct Releasing {
    /// The next to send; 0 when all are sent.
    var next: PacketIdentifier = 1
    var unanswered = 0

    /// How many are sent before the first is answered.
    static let batch = 1_024

    var isDone: Bool { next == 0 && unanswered == 0 }
}

/// The QoS 1 and 2 messages on their way to one broker: under the packet identifiers that the other one gave them.
struct RelayWindow {
    /// QoS 1 and 2 messages that the broker takes without having finished one.
    var maximum = Int(UInt16.max)
    private(set) var inflight: Set<PacketIdentifier> = []
    /// Packet identifiers of SUBSCRIBEs that wait for their answer: no message may have them [MQTT-2.2.1-3].
    var reserved: Set<PacketIdentifier> = []
    /// Messages that came with QoS 2 and went on with QoS 1, since the broker takes no more.
    private var lowered: Set<PacketIdentifier> = []
    /// Those that there is no room for yet.
    private(set) var pending: Deque<Publish> = []
    private(set) var pendingBytes = 0

    /// Notes that the message is sent; false when it has to wait.
    mutating func admit(_ publish: Publish) -> Bool {
        guard pending.isEmpty, hasRoom(for: publish) else {
            pending.append(publish)
            pendingBytes += Self.byteCount(publish)
            return false
        }
        inflight.insert(publish.packetIdentifier)
        return true
    }

    private func hasRoom(for publish: Publish) -> Bool {
        if reserved.contains(publish.packetIdentifier) { return false }
        return inflight.count < maximum || inflight.contains(publish.packetIdentifier)
    }

    /// What a message takes in memory beside its bytes, or a flood of empty ones would have no bound.
    private static let overhead = 256

    private static func byteCount(_ publish: Publish) -> Int { publish.message.byteCount + overhead }

    /// The next message that has waited and has room now.
    mutating func next() -> Publish? {
        guard let publish = pending.first, hasRoom(for: publish) else { return nil }
        pending.removeFirst()
        pendingBytes -= Self.byteCount(publish)
        inflight.insert(publish.packetIdentifier)
        return publish
    }

    mutating func lower(_ packetIdentifier: PacketIdentifier) { lowered.insert(packetIdentifier) }

    /// The broker is done with the message.
    /// - Returns: whether its QoS was lowered.
    mutating func finish(_ packetIdentifier: PacketIdentifier) -> Bool {
        inflight.remove(packetIdentifier)
        return lowered.remove(packetIdentifier) != nil
    }
}

/// When to ping a broker, and when to take it for dead (section 3.1.2.10).
struct Liveness {
    /// Seconds; 0: no pings.
    var keepAlive: UInt16 = 0
    var lastSentAt = Instant.zero
    var lastReceivedAt = Instant.zero
    /// When the PINGREQ without an answer was sent.
    var pingSentAt: Instant?

    /// A broker that is not read from cannot be seen to answer, and gets this many times the time.
    private static let patience = 3

    func deadline(pingTimeout: Duration, isReadingPaused: Bool) -> Instant {
        if let pingSentAt {
            return pingSentAt.advanced(by: isReadingPaused ? pingTimeout * Self.patience : pingTimeout)
        }
        return keepAlive == 0 ? .distantFuture : min(lastSentAt, lastReceivedAt).advanced(seconds: keepAlive)
    }
}
