package import struct NIOCore.ByteBuffer

/// Appends what a client sends.
package enum CommandEncoder {
    /// PUB, or HPUB when there are headers. A reply without bytes is none.
    package static func appendPublish(
        subject: Subject, reply: [UInt8] = [], headers: HeaderBlock? = nil, payload: ByteBuffer,
        to buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString(headers == nil ? "PUB " : "HPUB ")
        buffer.writeBytes(subject.bytes)
        if !reply.isEmpty {
            buffer.writeStaticString(" ")
            buffer.writeBytes(reply)
        }
        let headerCount = headers?.bytes.readableBytes ?? 0
        if headers != nil {
            buffer.writeStaticString(" ")
            appendNumber(UInt64(headerCount), to: &buffer)
        }
        buffer.writeStaticString(" ")
        appendNumber(UInt64(headerCount + payload.readableBytes), to: &buffer)
        buffer.writeStaticString("\r\n")
        if let headers { buffer.writeImmutableBuffer(headers.bytes) }
        buffer.writeImmutableBuffer(payload)
        buffer.writeStaticString("\r\n")
    }

    /// Bytes that a publication takes at most.
    package static func publishLength(
        subject: Subject, reply: [UInt8] = [], headers: HeaderBlock? = nil, payload: ByteBuffer
    ) -> Int {
        subject.bytes.count + reply.count + (headers?.bytes.readableBytes ?? 0) + payload.readableBytes + 52
    }

    /// SUB; members of one queue group share the messages.
    package static func appendSubscribe(
        _ filter: SubjectFilter, queueGroup: Subject? = nil, subscription: UInt64, to buffer: inout ByteBuffer
    ) {
        buffer.writeStaticString("SUB ")
        buffer.writeBytes(filter.bytes)
        if let queueGroup {
            buffer.writeStaticString(" ")
            buffer.writeBytes(queueGroup.bytes)
        }
        buffer.writeStaticString(" ")
        appendNumber(subscription, to: &buffer)
        buffer.writeStaticString("\r\n")
    }

    package static func appendUnsubscribe(_ subscription: UInt64, to buffer: inout ByteBuffer) {
        buffer.writeStaticString("UNSUB ")
        appendNumber(subscription, to: &buffer)
        buffer.writeStaticString("\r\n")
    }

    /// CONNECT with a JSON object.
    package static func appendConnect(options json: [UInt8], to buffer: inout ByteBuffer) {
        buffer.writeStaticString("CONNECT ")
        buffer.writeBytes(json)
        buffer.writeStaticString("\r\n")
    }

    package static func appendPing(to buffer: inout ByteBuffer) { buffer.writeStaticString("PING\r\n") }

    package static func appendPong(to buffer: inout ByteBuffer) { buffer.writeStaticString("PONG\r\n") }

    static func appendNumber(_ value: UInt64, to buffer: inout ByteBuffer) {
        guard value >= 10 else {
            buffer.writeInteger(UInt8(ascii: "0") + UInt8(value))
            return
        }
        appendNumber(value / 10, to: &buffer)
        buffer.writeInteger(UInt8(ascii: "0") + UInt8(value % 10))
    }
}
