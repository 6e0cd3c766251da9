import MQTTModel

/// The properties of a PUBLISH or of a will, sorted: those that travel with the message stay bytes, those that are
/// for the receiver are taken out.
struct MessageProperties {
    /// Bytes of those that travel with the message.
    private(set) var forwardedLength = 0
    /// Seconds, at most `UInt32.max - 1`: `PublishHeader` keeps the largest value for "never", and a second in 136 years
    /// is not missed.
    private(set) var expiryInterval: UInt32?
    /// 0 for none.
    private(set) var topicAlias: UInt16 = 0
    private(set) var subscriptionIdentifiers: [UInt32] = []
    /// Seconds; of a will.
    private(set) var willDelayInterval: UInt32 = 0

    /// The properties as they lie in the packet.
    private let all: PropertyScanner

    init(_ reader: inout ByteReader, in packet: PropertyPackets) throws(ProtocolViolation) {
        all = try PropertyScanner(&reader, packet: packet)
        var scanner = all
        while let property = try scanner.next() {
            switch property.identifier {
            case .messageExpiryInterval: expiryInterval = min(property.number, .max - 1)
            case .topicAlias: topicAlias = UInt16(property.number)
            case .subscriptionIdentifier: subscriptionIdentifiers.append(property.number)
            case .willDelayInterval: willDelayInterval = property.number
            default:
                assert(property.identifier.isForwarded)
                forwardedLength += property.encoded.count
            }
        }
    }

    /// Copies those that travel with the message, in their order, to `memory`, which has room for `forwardedLength`.
    func copyForwarded(to memory: UnsafeMutableRawBufferPointer) throws(ProtocolViolation) {
        guard forwardedLength > 0 else { return }
        var writer = ByteWriter(memory)
        guard forwardedLength < all.rest.count else { return writer.write(all.rest) }
        var scanner = all
        while let property = try scanner.next() {
            if property.identifier.isForwarded { writer.write(property.encoded) }
        }
    }
}
