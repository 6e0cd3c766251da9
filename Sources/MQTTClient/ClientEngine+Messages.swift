import DequeModule
import MQTTCodec
import MQTTModel
import MQTTSession
import NIOCore

/// A message that the application has not taken.
struct BufferedMessage {
    let message: MQTTClient.Message
    /// nil with QoS 0.
    let receipt: ReceiptToken?

    var byteCount: Int { message.topic.utf8.count + message.payload.count }
}

// From the socket to the application, and no faster than the application takes it.
extension ClientEngine {
    var isBufferFull: Bool {
        buffer.count >= max(configuration.messageBufferCapacity, 1)
            || (!buffer.isEmpty && bufferedBytes >= configuration.messageBufferByteCapacity)
    }

    /// Reading goes on well before the buffer is empty, and not at every message.
    var hasDrained: Bool {
        buffer.count <= configuration.messageBufferCapacity / 2
            && bufferedBytes <= configuration.messageBufferByteCapacity / 2
    }

    func bytesReceived(_ bytes: ByteBuffer, on number: UInt64) {
        guard let link, link.number == number else { return }
        link.inbound.append(bytes)
        decode(link)
    }

    /// Decodes what has arrived, as long as there is room for a message. A CONNACK needs none.
    func decode(_ link: ClientLink) {
        guard !link.isDecoding else { return }
        link.isDecoding = true
        defer { link.isDecoding = false }
        while let current = self.link, current === link, stall.isShedding || !(isBufferFull && session.isConnected) {
            do throws(ProtocolViolation) {
                guard let packet = try link.inbound.next() else { return }
                step { $0.packetReceived(packet, at: $1, into: &$2) }
            } catch {
                return step { $0.violationReceived(error, at: $1, into: &$2) }
            }
        }
        pauseReading(link)
    }

    private func pauseReading(_ link: ClientLink) {
        guard !link.isReadingPaused, let current = self.link, current === link else { return }
        link.isReadingPaused = true
        session.readingPaused()
        link.channel.setOption(.autoRead, value: false).whenComplete { _ in }
        watchForStall(link)
    }

    private func resumeReading() {
        guard let link, link.isReadingPaused, hasDrained else { return }
        readOn(link)
    }

    func readOn(_ link: ClientLink) {
        link.isReadingPaused = false
        session.readingResumed(at: now)
        decode(link)
        if !link.isReadingPaused { link.channel.setOption(.autoRead, value: true).whenComplete { _ in } }
    }

    func deliver(_ publish: Publish, _ receipt: ReceiptToken?) {
        let message = BufferedMessage(message: MQTTClient.Message(publish), receipt: receipt)
        if let waiter = messageWaiters.takeFirst() {
            acknowledge(message)
            waiter.resume(returning: message.message)
        } else if receipt == nil, stall.isShedding, isBufferFull {
            stall.droppedCount += 1
        } else {
            buffer.append(message)
            bufferedBytes += message.byteCount
        }
    }

    func nextMessage() async throws -> MQTTClient.Message? {
        try Task.checkCancellation()
        if let next = takeMessage() { return try next.get() }
        return try await wait(
            begin: { key, continuation in
                if let next = takeMessage() {
                    continuation.resume(with: next)
                } else {
                    messageWaiters.add(key, continuation)
                }
            },
            forget: { $0.messageWaiters.take($1) })
    }

    /// The next message, or the end; nil when there is neither yet.
    private func takeMessage() -> Result<MQTTClient.Message?, any Error>? {
        if let next = buffer.popFirst() {
            bufferedBytes -= next.byteCount
            acknowledge(next)
            endStall()
            resumeReading()
            return .success(next.message)
        }
        guard case .closed(let error) = phase else { return nil }
        return error.map { .failure($0) } ?? .success(nil)
    }

    private func acknowledge(_ message: BufferedMessage) {
        guard let receipt = message.receipt else { return }
        step { $0.acknowledge(receipt, at: $1, into: &$2) }
    }
}

extension MQTTClient.Message {
    init(_ publish: Publish) {
        let message = publish.message
        var properties = ForwardedProperties.decode(message.properties)
        if let expiryInterval = message.expiryInterval { properties.append(.messageExpiryInterval(expiryInterval)) }
        self.init(
            topic: message.topicString, payload: Array(message.payload), qos: publish.qos,
            isRetained: publish.isRetained, isDuplicate: publish.isDuplicate, properties: properties,
            subscriptionIdentifiers: publish.subscriptionIdentifiers)
    }
}
