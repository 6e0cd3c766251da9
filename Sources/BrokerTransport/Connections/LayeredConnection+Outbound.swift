import BrokerCore
import BrokerRuntime
import NIOCore
import TransportModel

/// From MQTT to bytes. A part that the system does not take goes through NIO, and everything after it waits for that.
extension LayeredConnection {
    /// What is on its way out.
    struct Output {
        /// Bytes that NIO holds.
        var pendingBytes = 0
        /// MQTT that waits to be encoded.
        var rest: ByteBuffer?
        /// MQTT that `write` has encoded and not counted as written.
        var encodedAhead = 0
        /// An answer to a ping that waits; a later one replaces it.
        var waitingAnswer: ByteBuffer?
        /// The move to the home shard waits.
        var handover: Handover?
        /// Why WebSocket ends.
        var status = WebSocketStatus.normal
    }

    /// MQTT that is encoded at a time: a frame, and two records of TLS.
    static var maximumPartSize: Int { TLSLayer.maximumWriteSize }

    func writeLayered(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard stage == .mqtt else { return nil }
        guard output.pendingBytes == 0, output.rest == nil else { return 0 }
        var count = 0
        while count < bytes.count {
            let part = UnsafeRawBufferPointer(
                rebasing: bytes[count..<min(bytes.count, count + Self.maximumPartSize)])
            guard let encoded = encode(part), let sent = encoded.withUnsafeReadableBytes({ sendNow($0) }) else {
                return nil
            }
            if sent < encoded.readableBytes {
                output.encodedAhead = part.count
                sendLater(encoded, from: sent)
                return count
            }
            count += part.count
        }
        return count
    }

    /// Goes on with what waits, as far as the system takes it.
    func writeOn() {
        while output.pendingBytes == 0, var rest = output.rest.take() {
            guard rest.readableBytes > 0 else { return shard.written(self) }
            let part = rest.readSlice(length: min(rest.readableBytes, Self.maximumPartSize)) ?? ByteBuffer()
            output.rest = rest
            guard let encoded = part.withUnsafeReadableBytes({ encode($0) }) else { return }
            send(encoded)
        }
    }

    // MARK: Bytes of the network

    /// Sends bytes as they are, behind those that wait.
    func send(_ bytes: ByteBuffer) {
        guard output.pendingBytes == 0 else { return sendLater(bytes, from: 0) }
        // A broken connection ends by itself.
        guard let count = bytes.withUnsafeReadableBytes({ sendNow($0) }) else { return }
        if count < bytes.readableBytes { sendLater(bytes, from: count) }
    }

    private func sendLater(_ bytes: ByteBuffer, from offset: Int) {
        guard let context else { return }
        var rest = bytes
        rest.moveReaderIndex(forwardBy: offset)
        let count = rest.readableBytes
        output.pendingBytes += count
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { self.hasSent(count) }
        context.writeAndFlush(Self.wrapOutboundOut(rest), promise: promise)
    }

    private func hasSent(_ count: Int) {
        output.pendingBytes -= count
        guard output.pendingBytes == 0, stage != .ended else { return }
        if let handover = output.handover.take() { return move(handover) }
        if let answer = output.waitingAnswer.take() { send(answer) }
        writeOn()
    }

    /// Answers a control frame of WebSocket; while bytes wait only the last answer is kept, so that a client that does
    /// not read cannot pile them up.
    func answerControl(_ frames: ByteBuffer) {
        guard output.pendingBytes == 0 else {
            output.waitingAnswer = encrypt(frames)
            return
        }
        if let encoded = encrypt(frames) { send(encoded) }
    }

    // MARK: Encoding

    /// MQTT as it goes over the network.
    private func encode(_ bytes: UnsafeRawBufferPointer) -> ByteBuffer? {
        var buffer = owner.takeScratch()
        defer { owner.giveBackScratch(&buffer) }
        if webSocket == nil {
            buffer.writeBytes(bytes)
        } else {
            WebSocketEncoder.appendBinary(bytes, to: &buffer)
        }
        return encrypt(buffer)
    }

    func encrypt(_ bytes: ByteBuffer) -> ByteBuffer? {
        guard let tls else { return bytes }
        return tls.encrypt(bytes)
    }

    /// Everything that is still to be said, and that it is all.
    func endOfStream(after farewell: ByteBuffer?) -> ByteBuffer? {
        var all = ByteBuffer()
        if stage == .mqtt {
            for var waiting in [output.rest.take(), farewell].compactMap({ $0 }) {
                while let part = waiting.readSlice(length: min(waiting.readableBytes, Self.maximumPartSize)),
                    part.readableBytes > 0
                {
                    if let encoded = part.withUnsafeReadableBytes({ encode($0) }) { all.writeImmutableBuffer(encoded) }
                }
            }
            if let webSocket, !webSocket.isClosed {
                var frame = ByteBuffer()
                WebSocketEncoder.appendClose(output.status, to: &frame)
                if let encoded = encrypt(frame) { all.writeImmutableBuffer(encoded) }
            }
        }
        if let last = tls?.closeOutput() { all.writeImmutableBuffer(last) }
        return all
    }
}
