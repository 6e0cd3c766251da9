import BrokerTransport
import MQTTCodec
import MQTTModel
import NIOCore
import NIOPosix
import TransportModel

/// A client over a real socket that sends and receives whole packets or single bytes.
final class TestClient: @unchecked Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let channel: any Channel
    private let inbox: Inbox
    private let version: ProtocolVersion

    static func open(
        _ address: Listener, version: ProtocolVersion = .v3_1_1, readsFromStart: Bool = true
    ) async throws -> TestClient {
        let inbox = Inbox(version: version)
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: readsFromStart)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(inbox) }
            }
        let channel =
            switch address.address.endpoint {
            case .network(let host, let port): try await bootstrap.connect(host: host, port: port).get()
            case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
            }
        return TestClient(channel: channel, inbox: inbox, version: version)
    }

    /// A client whose session is there: CONNECT is sent and CONNACK has come.
    static func connect(
        _ address: Listener, _ clientIdentifier: String, version: ProtocolVersion = .v3_1_1,
        cleanStart: Bool = true, properties: Properties = []
    ) async throws -> TestClient {
        let client = try await open(address, version: version)
        try await client.send(
            .connect(
                Connect(
                    version: version, clientIdentifier: clientIdentifier, cleanStart: cleanStart,
                    properties: properties)))
        guard case .connAck(let connAck) = try await client.next(), connAck.reasonCode == .success else {
            throw Failure(description: "no CONNACK with success")
        }
        return client
    }

    private init(channel: any Channel, inbox: Inbox, version: ProtocolVersion) {
        self.channel = channel
        self.inbox = inbox
        self.version = version
    }

    func encode(_ packets: Packet...) -> [UInt8] {
        var buffer = ByteBuffer()
        for packet in packets { PacketEncoder.append(packet, version: version, to: &buffer) }
        return Array(buffer.readableBytesView)
    }

    func send(bytes: some Sequence<UInt8> & Sendable) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    func send(_ packets: Packet...) async throws {
        var buffer = ByteBuffer()
        for packet in packets { PacketEncoder.append(packet, version: version, to: &buffer) }
        try await channel.writeAndFlush(buffer)
    }

    func subscribe(_ filter: String, _ qos: QoS = .atMostOnce) async throws {
        try await send(.subscribe(Subscribe.one(filter, qos)))
        guard case .subAck = try await next() else { throw Failure(description: "no SUBACK") }
    }

    func publish(_ topic: String, _ payload: String, _ qos: QoS = .atMostOnce, packetIdentifier: UInt16 = 1)
        async throws
    {
        try await send(.publish(Publish.test(topic, Array(payload.utf8), qos, packetIdentifier: packetIdentifier)))
    }

    /// The next packet; an error when the connection ends before, or nothing comes for a long time.
    func next() async throws -> Packet {
        guard let packet = try await nextOrEnd() else { throw Failure(description: "the connection has ended") }
        return packet
    }

    /// The topic and payload of the next packet, which is a PUBLISH.
    func nextPublish() async throws -> (topic: String, payload: String) {
        guard case .publish(let publish) = try await next() else { throw Failure(description: "no PUBLISH") }
        return (publish.message.topicString, String(decoding: publish.message.payload, as: UTF8.self))
    }

    /// The next packet; nil when the connection has ended.
    func nextOrEnd() async throws -> Packet? {
        let promise = channel.eventLoop.makePromise(of: Packet?.self)
        let inbox = inbox
        channel.eventLoop.execute { inbox.wait(promise) }
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(20)) {
            promise.fail(Failure(description: "nothing came"))
        }
        defer { timeout.cancel() }
        return try await promise.futureResult.get()
    }

    /// Waits for the end of the connection; a packet before it is an error.
    func expectEnd() async throws {
        if let packet = try await nextOrEnd() { throw Failure(description: "\(packet) instead of the end") }
    }

    func startReading() async throws { try await channel.setOption(.autoRead, value: true).get() }

    func close() async throws { try await channel.close() }
}

/// What has come for a client, and who waits for more. Confined to the channel's loop.
private final class Inbox: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private var decoder: PacketDecoder
    private var pool = MessagePool()
    private var bytes: [UInt8] = []
    private var packets: [Packet] = []
    private var waiting: [EventLoopPromise<Packet?>] = []
    private var isEnded = false

    init(version: ProtocolVersion) {
        decoder = PacketDecoder(role: .client, version: version, maximumPacketSize: 1 << 28)
    }

    func wait(_ promise: EventLoopPromise<Packet?>) {
        waiting.append(promise)
        answer()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes += Self.unwrapInboundIn(data).readableBytesView
        var offset = 0
        while let decoded = bytes.withUnsafeBytes({ all in
            try? decoder.decode(UnsafeRawBufferPointer(rebasing: all[offset...]), pool: &pool)
        }) {
            packets.append(decoded.packet)
            offset += decoded.byteCount
        }
        bytes.removeFirst(offset)
        answer()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        isEnded = true
        answer()
    }

    private func answer() {
        while !waiting.isEmpty, !packets.isEmpty { waiting.removeFirst().succeed(packets.removeFirst()) }
        guard isEnded else { return }
        for promise in waiting { promise.succeed(nil) }
        waiting.removeAll()
    }
}
