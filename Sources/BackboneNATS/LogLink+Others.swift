import Flock
import MQTTModel
import NATSClient
import NATSProtocol
import NIOCore

/// What nodes say to each other beside the log: that they live, and messages that nobody has to have.
extension LogLink {
    func joinOthers(_ connection: NATSConnection) {
        let own = Liveness.Beat(node: log.node, incarnation: log.incarnation)
        _ = connection.subscribe(SubjectFilter(subject("alive"))) { message in
            let heard = message.payload.read { reader throws(MalformedRecord) in
                (try reader.beat(), reader.isAtEnd ? nil : try reader.nodeFacts())
            }
            guard let (beat, facts) = heard else { return }
            self.liveness.heard(beat)
            if beat == own { self.silence.heardOwnBeat(at: .now()) }
            self.heard(beat, facts)
        }
        takeOrders(connection)
        _ = connection.subscribe(SubjectFilter(subject("live"))) { message in
            let now = self.wallClock()
            let broadcast = message.payload.read { reader throws(MalformedRecord) in
                try reader.broadcast(ignoring: own, at: now)
            }
            if let broadcast, !broadcast.isEmpty { self.received(broadcast) }
        }
        beat(own)
    }

    // MARK: Who lives

    private func beat(_ own: Liveness.Beat) {
        guard !isDone, let connection else { return }
        var writer = RecordWriter()
        lookAround()
        writer.append(own)
        writer.append(ownFacts)
        connection.publish(ByteBuffer(bytes: writer.bytes), to: subject("alive"))
        let living = state.nodes.map { Liveness.Beat(node: $0.key.string, incarnation: $0.value.incarnation) }
        for dead in liveness.beat(living: living) {
            log.submitDeath(of: dead.node.string, incarnation: dead.incarnation)
        }
        flush()
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(options.beatInterval)) { self.beat(own) }
    }

    // MARK: Messages of QoS 0

    /// Bytes of one message to the others; what is more goes in several.
    private static let broadcastSize = 1 << 18

    func broadcast(_ messages: [ApplicationMessage]) {
        guard !isDone, state.nodes.count > 1 else { return }
        var writer = RecordWriter()
        for message in messages {
            if writer.bytes.isEmpty {
                writer.append(Liveness.Beat(node: log.node, incarnation: log.incarnation))
                writer.append(wallClock())
            }
            writer.append(byte: 1)
            writer.append(message)
            if writer.bytes.count >= LogLink.broadcastSize {
                send(writer)
                writer = RecordWriter()
            }
        }
        if !writer.bytes.isEmpty { send(writer) }
    }

    private func send(_ writer: RecordWriter) {
        let answer = connection?.publish(ByteBuffer(bytes: writer.bytes), to: subject("live"))
        if answer != .accepted { droppedBroadcasts += 1 }
    }

    private func received(_ messages: [ApplicationMessage]) {
        for message in messages { message.startClock() }
        onBroadcast?(messages)
    }
}

extension RecordReader {
    /// Nothing for what this node itself has sent.
    fileprivate mutating func broadcast(
        ignoring own: Liveness.Beat, at now: UInt64
    ) throws(MalformedRecord) -> [ApplicationMessage] {
        guard try beat() != own else { return [] }
        let sentAt = try number()
        var messages: [ApplicationMessage] = []
        while !isAtEnd {
            guard try byte() == 1 else { throw malformed("what is broadcast is no message") }
            messages.append(try message(age: now > sentAt ? (now - sentAt) / 1000 : 0))
        }
        return messages
    }
}

extension ApplicationMessage {
    /// What is left of its expiry interval counts from now, by the clock of the event loops.
    func startClock() {
        if expiryInterval != nil { receivedAt = Instant(nanoseconds: NIODeadline.now().uptimeNanoseconds) }
    }
}

extension ByteBuffer {
    /// nil when it is not what is expected.
    func read<Value>(_ body: (inout RecordReader) throws(MalformedRecord) -> Value) -> Value? {
        withUnsafeReadableBytes { bytes in
            var reader = RecordReader(bytes)
            return try? body(&reader)
        }
    }
}
