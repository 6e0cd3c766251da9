import AccessControl
import BrokerCore
import BrokerRuntime
import Logging
import MQTTModel
import NIOCore
import TransportModel

/// A connection with something between its bytes and MQTT: a PROXY protocol header before everything, TLS, WebSocket, or
/// several of them. The shard hears of it when MQTT can begin.
final class LayeredConnection: StreamConnection {
    /// What comes before MQTT, in its order.
    enum Stage {
        case proxyHeader, tlsHandshake, upgrade, mqtt
        /// Nothing that arrives is looked at any more.
        case ended
    }

    let serving: ServingListener
    var stage: Stage
    var tls: TLSLayer?
    var webSocket: WebSocketLayer?
    var client = Client()
    /// Bytes that are not enough yet for the stage.
    var incomplete: ByteBuffer?
    var timeout: Scheduled<Void>?
    var output = Output()

    /// What is known of the client so far.
    struct Client {
        var address: IPAddress?
        var port = 0
        var certificate: CertificateNames?
    }

    /// A connection that was accepted.
    init(owner: TransportShard, serving: ServingListener, admission: Admission) {
        self.serving = serving
        self.stage = .proxyHeader
        super.init(owner: owner, admission: admission)
    }

    /// What carries on at the home shard of the client.
    private init(_ predecessor: LayeredConnection, at home: TransportShard, _ handover: Handover) {
        serving = predecessor.serving
        stage = predecessor.stage
        client = predecessor.client
        tls = predecessor.tls
        webSocket = predecessor.webSocket
        super.init(owner: home, admission: predecessor.admission, handover: handover)
        tls?.move(to: home.shard.loop)
        predecessor.tls = nil
        predecessor.stage = .ended
    }

    // MARK: From the channel

    override func begin() {
        guard stage == .proxyHeader else { return adopt() }
        let delay = TimeAmount.nanoseconds(
            Int64(clamping: serving.options.handshakeTimeout.wholeNanoseconds))
        timeout = shard.loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.handshakeTimedOut() }
        let address = context?.channel.remoteAddress
        client.address = IPAddress(address)
        client.port = address?.port ?? 0
        if serving.options.proxies.isEmpty {
            beginBehindProxy()
        } else if !serving.options.proxies.contains(where: { $0.contains(client.address) }) {
            fail("the connection does not come from one of the proxies")
        }
    }

    /// It came from the shard that accepted it.
    private func adopt() {
        super.begin()
        if isOver { end() }
    }

    override func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        receive(bytes)
        owner.receiveBuffer.takeBack(bytes)
    }

    override func channelInactive(context: ChannelHandlerContext) {
        stage = .ended
        timeout?.cancel()
        tls = nil
        output = Output()
        super.channelInactive(context: context)
    }

    // MARK: From the shard

    override var origin: ConnectionOrigin? {
        ConnectionOrigin(
            listener: serving.name,
            transport: TransportIdentity(
                address: client.address?.description, certificate: client.certificate?.identity),
            port: client.port, isEncrypted: serving.listener.address.transport.isEncrypted)
    }

    override var isRevoked: Bool {
        guard let certificate = client.certificate, let list = serving.tlsContext?.revocationList else { return false }
        return list.hasRevoked(certificate)
    }

    override func write(_ bytes: UnsafeRawBufferPointer) -> Int? { writeLayered(bytes) }

    override func writeRest(_ bytes: ByteBuffer) {
        var rest = bytes
        rest.moveReaderIndex(forwardBy: output.encodedAhead)
        output.encodedAhead = 0
        output.rest = rest
        writeOn()
    }

    override var isBlocked: Bool { output.pendingBytes > 0 }

    override func lastBytes(after farewell: ByteBuffer?) -> ByteBuffer? {
        defer { stage = .ended }
        return endOfStream(after: farewell)
    }

    override func move(_ handover: Handover) {
        if isBlocked {
            // Its rest goes first; what arrives meanwhile stays in the system.
            setReading(false)
            output.handover = handover
        } else {
            super.move(handover)
        }
    }

    override func successor(at home: TransportShard, _ handover: Handover) -> StreamConnection {
        LayeredConnection(self, at: home, handover)
    }
}
