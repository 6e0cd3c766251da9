package import NATSProtocol
package import NIOCore

/// A message as it was received.
///
/// It is a view into the bytes of one read, which it keeps alive: whoever keeps messages for long copies what it needs
/// of them.
package struct NATSMessage: Sendable {
    private let bytes: ByteBuffer
    private let layout: MessageLayout

    /// - Parameter bytes: with the command at its reader index.
    init(bytes: ByteBuffer, layout: MessageLayout) {
        self.bytes = bytes
        self.layout = layout
    }

    package var subject: Subject { Subject(unchecked: copy(layout.subject)) }

    /// Where an answer is wanted.
    package var reply: Subject? { layout.reply.isEmpty ? nil : Subject(unchecked: copy(layout.reply)) }

    package var headers: HeaderBlock? {
        layout.headers.isEmpty ? nil : HeaderBlock(received: slice(layout.headers))
    }

    package var payload: ByteBuffer { slice(layout.payload) }

    /// JetStream's word on its own messages; nil for what a client published.
    package var status: Int? {
        // Nothing but a status has one and no payload: payloads are not searched for it.
        layout.payload.isEmpty && !layout.headers.isEmpty ? HeaderBlock(received: slice(layout.headers)).status : nil
    }

    package var payloadCount: Int { layout.payload.count }

    /// Lends the subject without a copy.
    package func withSubject<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        try body(slice(layout.subject).readableBytesUInt8Span)
    }

    /// Lends the subject for the answer, empty when there is none, without a copy.
    package func withReply<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        try body(slice(layout.reply).readableBytesUInt8Span)
    }

    private func slice(_ range: Range<Int>) -> ByteBuffer {
        bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
    }

    private func copy(_ range: Range<Int>) -> [UInt8] {
        bytes.getBytes(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? []
    }
}
