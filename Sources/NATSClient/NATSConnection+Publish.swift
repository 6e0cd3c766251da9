package import NATSProtocol
package import NIOCore

/// How a publication without acknowledgement was taken.
package enum PublishAnswer: Hashable, Sendable {
    /// It leaves with the next write.
    case accepted
    /// Nothing was sent.
    case refused(NotSentReason)
}

/// Why something was not sent. It certainly was not done.
package enum NotSentReason: Hashable, Sendable {
    case notConnected
    /// More than `maximumPendingBytes` have not left.
    case bufferFull
    /// The server takes less in one message.
    case payloadTooLarge
    /// More than `maximumRequests` wait for an answer.
    case tooManyRequests
}

extension NATSConnection {
    /// Publishes to whoever listens at this moment.
    @discardableResult
    package func publish(
        _ payload: ByteBuffer, to subject: Subject, reply: Subject? = nil, headers: HeaderBlock? = nil
    ) -> PublishAnswer {
        publish(payload, to: subject, replyBytes: reply?.bytes ?? [], headers: headers)
    }

    func publish(
        _ payload: ByteBuffer, to subject: Subject, replyBytes: [UInt8], headers: HeaderBlock?
    ) -> PublishAnswer {
        eventLoop.assertInEventLoop()
        guard let info = machine.info else { return .refused(.notConnected) }
        let size = payload.readableBytes + (headers?.bytes.readableBytes ?? 0)
        guard size <= info.maximumPayload else { return .refused(.payloadTooLarge) }
        guard pendingBytes + size <= options.maximumPendingBytes else {
            counters.bufferFull += 1
            return .refused(.bufferFull)
        }
        CommandEncoder.appendPublish(
            subject: subject, reply: replyBytes, headers: headers, payload: payload, to: &outbound)
        counters.published += 1
        counters.publishedBytes += UInt64(size)
        scheduleFlush()
        return .accepted
    }

    /// Calls `completion` when the server has seen everything before this call, or with false when the connection was
    /// lost before.
    package func flush(_ completion: @escaping (Bool) -> Void) {
        guard isConnected else { return completion(false) }
        pongWaiters.append(completion)
        CommandEncoder.appendPing(to: &outbound)
        scheduleFlush()
    }

    /// One write at the end of the loop's tick, or as soon as enough has come together to be worth one.
    func scheduleFlush() {
        if outbound.readableBytes >= NATSConnection.flushSize { return flushNow() }
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.flushNow()
        }
    }

    /// Bytes that are written without waiting for the end of the tick.
    private static let flushSize = 1 << 18
    /// Bytes on their way to the system at a time; what is published meanwhile is gathered.
    private static let writeWindow = 1 << 20

    func flushNow() {
        guard outbound.readableBytes > 0, let link, link.unwrittenBytes < NATSConnection.writeWindow else { return }
        let bytes = outbound
        outbound = link.channel.allocator.buffer(capacity: min(bytes.readableBytes, NATSConnection.flushSize))
        link.write(bytes) { [weak self] in self?.flushNow() }
    }
}
