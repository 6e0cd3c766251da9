import Foundation
import NATSProtocol
import NIOCore
import NIOPosix
import NIOSSL

extension NATSConnection {
    /// Does what the machine asks for, also when an action leads to the next call of the machine at once.
    func perform(_ actions: [ConnectionAction]) {
        eventLoop.assertInEventLoop()
        pendingActions += actions
        guard !isPerforming else { return }
        isPerforming = true
        while !pendingActions.isEmpty { perform(pendingActions.removeFirst()) }
        isPerforming = false
        scheduleDeadline()
    }

    private func perform(_ action: ConnectionAction) {
        switch action {
        case .open(let server): open(server)
        case .secure: secure()
        case .authenticate(let info): authenticate(info)
        case .sendPing:
            pongWaiters.append(nil)
            CommandEncoder.appendPing(to: &outbound)
            scheduleFlush()
        case .cut: cut()
        case .report(let event): report(event)
        }
    }

    private func report(_ event: ConnectionEvent) {
        switch event {
        case .connected:
            counters.connections += 1
            resubscribe()
        case .disconnected, .closed: endRequests()
        case .attemptFailed, .waiting, .lameDuck: break
        }
        // One of them may remove itself.
        let observers = observers
        observers.forEach { _, observe in observe(event) }
        eventHandler?(event)
    }

    // MARK: Opening and closing

    private func open(_ server: ServerAddress) {
        linkNumber += 1
        let number = linkNumber
        let connection = NIOLoopBound(self, eventLoop: eventLoop)
        let timeout = TimeAmount.nanoseconds(Int64(clamping: options.reconnect.attemptTimeout.nanoseconds))
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 16))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = NetworkHandler(connection: connection.value, number: number)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: server.host, port: server.port)
            .whenComplete { connection.value.opened(number, server, $0) }
    }

    private func opened(_ number: UInt64, _ server: ServerAddress, _ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            guard number == linkNumber else { return channel.close(promise: nil) }
            link = NetworkLink(channel: channel, number: number, server: server, limits: options.parserLimits)
            perform(machine.opened(at: now))
            if !channel.isActive { linkClosed(number) }
        case .failure(let error):
            guard number == linkNumber else { return }
            let reason = NATSConnection.reason(error, server)
            perform(machine.closed(.unreachable(reason), at: now, using: &random))
        }
    }

    /// For people: which server, and why.
    private static func reason(_ error: any Error, _ server: ServerAddress) -> String {
        guard let failure = error as? NIOConnectionError else { return "\(server.host):\(server.port): \(error)" }
        guard let first = failure.connectionErrors.first else {
            return "no machine is known by the name \(server.host)"
        }
        let text = (first.error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(first.error)"
        return "\(server.host):\(server.port): \(text)"
    }

    private func cut() {
        linkNumber += 1
        outbound.clear()
        let channel = link?.channel
        link = nil
        channel?.close(promise: nil)
        let waiters = pongWaiters
        pongWaiters.removeAll()
        for waiter in waiters { waiter?(false) }
    }

    private func secure() {
        guard let link else { return }
        do {
            try link.secure(options.tlsConfiguration, serverName: link.server.host)
        } catch {
            perform(machine.closed(.tlsFailed("\(error)"), at: now, using: &random))
        }
    }

    private func authenticate(_ info: ServerInfo) {
        do {
            let json = try ConnectOptions(options, info).json()
            CommandEncoder.appendConnect(options: json, to: &outbound)
            CommandEncoder.appendPing(to: &outbound)
            pongWaiters.append(nil)
            flushNow()
        } catch {
            perform(machine.closed(.refused("\(error)"), at: now, using: &random))
        }
    }

    // MARK: From the channel

    func linkSecured(_ number: UInt64) {
        guard number == linkNumber else { return }
        perform(machine.secured())
    }

    func linkFailed(_ number: UInt64, _ error: any Error) {
        guard number == linkNumber, let link else { return }
        link.failure = error is NIOSSLError || error is BoringSSLError ? .tlsFailed("\(error)") : .lost
    }

    func linkClosed(_ number: UInt64) {
        guard number == linkNumber, let link else { return }
        perform(machine.closed(link.failure ?? .lost, at: now, using: &random))
    }

    func received(_ bytes: ByteBuffer, on number: UInt64) {
        guard number == linkNumber, let link else { return }
        machine.heard(at: now)
        link.receive(bytes)
        parse(link)
    }

    private func parse(_ link: NetworkLink) {
        var inbound = link.inbound
        link.inbound = ByteBuffer()
        // A handler may have closed the connection.
        while self.link === link {
            do {
                guard let parsed = try link.parser.next(inbound.readableBytesUInt8Span) else { break }
                handle(parsed.command, in: inbound)
                inbound.moveReaderIndex(forwardBy: parsed.byteCount)
            } catch {
                return perform(machine.closed(.protocolError(error.description), at: now, using: &random))
            }
        }
        link.inbound = inbound
    }

    /// - Parameter bytes: with the command at its reader index.
    private func handle(_ command: ServerCommand, in bytes: ByteBuffer) {
        switch command {
        case .message(let layout):
            counters.received += 1
            counters.receivedBytes += UInt64(layout.payload.count)
            guard let subscription = subscriptions[layout.subscription] else { return }
            subscription.handler(NATSMessage(bytes: bytes, layout: layout))
        case .ping:
            CommandEncoder.appendPong(to: &outbound)
            scheduleFlush()
        case .pong:
            if !pongWaiters.isEmpty { pongWaiters.removeFirst()?(true) }
            perform(machine.pongReceived(at: now))
        case .ok: break
        case .info(let range): handleInfo(NATSConnection.copy(range, of: bytes))
        case .error(let range):
            handleError(String(decoding: NATSConnection.copy(range, of: bytes), as: UTF8.self))
        }
    }

    private static func copy(_ range: Range<Int>, of bytes: ByteBuffer) -> [UInt8] {
        bytes.getBytes(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? []
    }

    private func handleInfo(_ json: [UInt8]) {
        do {
            let info = try JSONDecoder().decode(ServerInfo.self, from: Data(json))
            perform(machine.infoReceived(info, at: now, using: &random))
        } catch {
            perform(machine.closed(.protocolError("INFO holds no JSON"), at: now, using: &random))
        }
    }

    private func handleError(_ text: String) {
        // The only errors that leave the connection open.
        if text.lowercased().hasPrefix("permissions violation") || text.lowercased().hasPrefix("invalid") {
            complaintHandler?(text)
        } else {
            machine.errorReceived(text)
        }
    }

    // MARK: Time

    private func scheduleDeadline() {
        guard let due = machine.deadline else {
            deadlineTask?.task.cancel()
            deadlineTask = nil
            return
        }
        // A timer that is early costs one call, one for each change of the deadline costs more.
        if let deadlineTask, deadlineTask.due <= due { return }
        deadlineTask?.task.cancel()
        let delay = TimeAmount.nanoseconds(Int64(clamping: max(due - now, .zero).nanoseconds))
        let task = eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            self.deadlineTask = nil
            self.perform(self.machine.deadlineReached(at: self.now, using: &self.random))
        }
        deadlineTask = (task, due)
    }
}

extension Duration {
    /// Saturating.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : whole + attoseconds / 1_000_000_000
    }
}
