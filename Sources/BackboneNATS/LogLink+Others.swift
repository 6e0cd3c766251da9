import Backbone
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

    /// Until it has read the log a node says that it lives, and judges nobody: it does not know yet who else should.
    func beatWhileLoading(_ connection: NATSConnection) {
        guard !isDone, tail == nil else { return }
        var writer = RecordWriter()
        writer.append(Liveness.Beat(node: log.node, incarnation: log.incarnation))
        connection.publish(ByteBuffer(bytes: writer.bytes), to: subject("alive"))
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(options.beatInterval)) {
            self.beatWhileLoading(connection)
        }
    }

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
        keepLogShort()
        flush()
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(options.beatInterval)) { self.beat(own) }
    }

    // MARK: Messages of QoS 0

    /// Bytes of one message to the others; what is more goes in several.
    private static let broadcastSize = 1 << 18

    /// Chooses a member of each shared subscription that wants it, by what this node knows now, and hands it to the others.
    func broadcast(_ messages: [ApplicationMessage]) {
        guard !isDone else { return }
        var own: [Broadcast] = []
        var writer = RecordWriter()
        for message in messages {
            let choices = state.choose(for: message, options.log.preference)
            let here = choices.filter { state.owners[$0.client] == state.node }
            if !here.isEmpty { own.append(Broadcast(message, toSubscribers: false, choices: here)) }
            guard state.nodes.count > 1 else { continue }
            let elsewhere = choices.filter { !here.contains($0) }
            if writer.bytes.isEmpty {
                writer.append(Liveness.Beat(node: log.node, incarnation: log.incarnation))
                writer.append(wallClock())
            }
            writer.append(byte: elsewhere.isEmpty ? BroadcastKind.plain : BroadcastKind.chosen)
            writer.append(message)
            if !elsewhere.isEmpty { writer.append(elsewhere) }
            if writer.bytes.count >= LogLink.broadcastSize {
                send(writer)
                writer = RecordWriter()
            }
        }
        if !writer.bytes.isEmpty { send(writer) }
        if !own.isEmpty { onBroadcast?(own) }
    }

    private func send(_ writer: RecordWriter) {
        let answer = connection?.publish(ByteBuffer(bytes: writer.bytes), to: subject("live"))
        if answer != .accepted { droppedBroadcasts += 1 }
    }

    private func received(_ broadcasts: [Broadcast]) {
        for one in broadcasts { one.message.startClock() }
        onBroadcast?(broadcasts)
    }
}

/// What follows in a broadcast. A kind keeps its number.
private enum BroadcastKind {
    static let plain: UInt8 = 1
    /// Behind the message are the members of shared subscriptions that get it.
    static let chosen: UInt8 = 2
}

extension RecordReader {
    /// Nothing for what this node itself has sent.
    fileprivate mutating func broadcast(
        ignoring own: Liveness.Beat, at now: UInt64
    ) throws(MalformedRecord) -> [Broadcast] {
        guard try beat() != own else { return [] }
        let sentAt = try number()
        var broadcasts: [Broadcast] = []
        while !isAtEnd {
            let kind = try byte()
            guard kind == BroadcastKind.plain || kind == BroadcastKind.chosen else {
                throw malformed("what is broadcast is no message")
            }
            let message = try message(age: now > sentAt ? (now - sentAt) / 1000 : 0)
            let choices = kind == BroadcastKind.chosen ? try choices() : []
            broadcasts.append(Broadcast(message, toSubscribers: true, choices: choices))
        }
        return broadcasts
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
