import Logging
import MQTTBridge
import MQTTCodec
import MQTTModel
import NIOCore
import NIOPosix
import TransportModel

/// Drives one `Bridge`: its connections, its time, its log. An actor whose executor is the event loop of both connections.
actor BridgeDriver {
    nonisolated let eventLoop: any EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }
    /// Completed when the bridge has stopped.
    nonisolated let stopped: EventLoopPromise<Void>

    let options: BridgeOptions
    let files: BridgeFiles
    let localAddress: ListenAddress
    let logger: Logger
    private var bridge: Bridge
    private var links: [BridgeSide: BridgeLink] = [:]
    /// Counts the connections, so that what belongs to an earlier one is recognised.
    private var lastNumber: UInt64 = 0
    /// The number of the connection that is being made, or is there.
    private var numbers: [BridgeSide: UInt64] = [:]
    private var scheduledDeadline: (task: Scheduled<Void>, instant: Instant)?
    private var isPumping = false
    private var metrics: BridgeMetrics
    var repeatedEvents: [RepeatedEvent: UInt64] = [:]

    init(options: BridgeOptions, files: BridgeFiles, localAddress: ListenAddress, logger: Logger) {
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        stopped = eventLoop.makePromise()
        self.options = options
        self.files = files
        self.localAddress = localAddress
        self.logger = logger
        bridge = Bridge(options: options, credentials: files.credentials)
        metrics = BridgeMetrics(name: options.name)
    }

    func start() { take(.started) }
    func stop() { take(.stopRequested) }

    private var now: Instant { Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }

    // MARK: Inputs

    /// Gives the machine an input, and then what has arrived and it will have now.
    private func take(_ input: BridgeInput) {
        step(input)
        pump()
        scheduleDeadline()
    }

    func received(_ bytes: ByteBuffer, _ side: BridgeSide, _ number: UInt64) {
        guard let link = links[side], link.number == number else { return }
        link.inbound.append(bytes)
        pump()
        scheduleDeadline()
    }

    func writabilityChanged(_ side: BridgeSide, _ number: UInt64) {
        guard links[side]?.number == number, !isPumping else { return }
        pump()
    }

    func faulted(_ text: String, _ side: BridgeSide, _ number: UInt64) {
        guard let link = links[side], link.number == number else { return }
        link.fault = text
    }

    func closed(_ side: BridgeSide, _ number: UInt64) {
        guard let link = links[side], link.number == number else { return }
        links[side] = nil
        take(link.fault.map { .connectionFailed(side, $0) } ?? .connectionClosed(side))
    }

    private func deadlineReached() {
        scheduledDeadline = nil
        take(.deadlineReached)
    }

    private func step(_ input: BridgeInput) {
        var random = SystemRandomNumberGenerator()
        var actions: [BridgeAction] = []
        bridge.step(input, at: now, using: &random, into: &actions)
        for action in actions { perform(action) }
    }

    // MARK: Actions

    private func perform(_ action: BridgeAction) {
        switch action {
        case .open(let side, let attempt): open(side, attempt)
        case .connect(let packet, let side, let hasBridgeBit):
            if hasBridgeBit { links[side]?.appendWithBridgeBit(packet) } else { links[side]?.append(.connect(packet)) }
        case .send(let packet, let side): links[side]?.append(packet)
        case .close(let side):
            numbers[side] = nil
            links.removeValue(forKey: side)?.close()
        case .report(let event):
            log(event)
            if case .stopped = event { stopped.succeed() }
        }
    }

    private func open(_ side: BridgeSide, _ attempt: Int) {
        lastNumber += 1
        let number = lastNumber
        numbers[side] = number
        let address =
            side == .local || options.addresses.isEmpty
            ? localAddress : options.addresses[attempt % options.addresses.count]
        let connecting = BridgeConnecting(
            address: address, options: options, context: side == .remote ? files.context(for: address.transport) : nil)
        let connected = connecting.connect(on: eventLoop) { [self] in
            BridgeChannelHandler(driver: self, side: side, number: number)
        }
        connected.whenComplete { result in
            self.assumeIsolated { $0.opened(result, side, number, address) }
        }
    }

    private func opened(
        _ result: Result<any Channel, any Error>, _ side: BridgeSide, _ number: UInt64, _ address: ListenAddress
    ) {
        guard numbers[side] == number else {
            if case .success(let channel) = result { channel.close(promise: nil) }
            return
        }
        switch result {
        case .failure(let error): take(.connectionFailed(side, "\(address): \(BridgeDriver.reason(error))"))
        case .success(let channel):
            let version = side == .local ? .v5_0 : options.version.protocolVersion
            links[side] = BridgeLink(
                channel: channel, number: number, version: version,
                maximumPacketSize: side == .local ? 1 << 28 : options.maximumPacketSize)
            take(.connectionOpened(side))
            if !channel.isActive { closed(side, number) }
        }
    }

    private static func reason(_ error: any Error) -> String {
        guard let failure = error as? NIOConnectionError else { return "\(error)" }
        if let first = failure.connectionErrors.first { return "\(first.error)" }
        return "the name is not known"
    }

    // MARK: From one side to the other

    /// Hands over the packets that have arrived as long as the machine will have them and the other side takes what comes
    /// of them, and sends that.
    private func pump() {
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        repeat {
            for link in orderedLinks { link.link.flush() }
        } while BridgeSide.allCases.reduce(false) { handOver(from: $1) || $0 }
        for (side, link) in orderedLinks { setReading(side, link, mayRead(side)) }
        metrics.tell(bridge.counters, isUp: bridge.isUp)
    }

    private var orderedLinks: [(side: BridgeSide, link: BridgeLink)] {
        BridgeSide.allCases.compactMap { side in links[side].map { (side, $0) } }
    }

    private func mayRead(_ side: BridgeSide) -> Bool {
        bridge.isReading(side) && links[side.other]?.isWritable ?? true
    }

    /// Packets of one side in a row.
    private static let turn = 256

    /// - Returns: whether there was something to hand over.
    private func handOver(from side: BridgeSide) -> Bool {
        var count = 0
        while count < Self.turn, mayRead(side), let link = links[side] {
            do throws(ProtocolViolation) {
                guard let packet = try link.inbound.next() else { break }
                step(.packetReceived(packet, side))
            } catch {
                step(.violationReceived(error, side))
            }
            count += 1
        }
        return count > 0
    }

    private func setReading(_ side: BridgeSide, _ link: BridgeLink, _ isReading: Bool) {
        guard link.isReading != isReading else { return }
        link.isReading = isReading
        step(isReading ? .readingResumed(side) : .readingPaused(side))
        link.channel.setOption(.autoRead, value: isReading).whenComplete { _ in }
    }

    private func scheduleDeadline() {
        let instant = bridge.deadline
        guard instant != .distantFuture, instant < scheduledDeadline?.instant ?? .distantFuture else { return }
        scheduledDeadline?.task.cancel()
        let task = eventLoop.scheduleTask(deadline: .uptimeNanoseconds(instant.nanoseconds)) {
            self.assumeIsolated { $0.deadlineReached() }
        }
        scheduledDeadline = (task, instant)
    }
}
