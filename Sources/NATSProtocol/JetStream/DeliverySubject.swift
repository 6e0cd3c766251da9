/// What JetStream says about a message that it delivers, in the subject for the acknowledgement:
/// `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>`, or with domain and
/// account in front of the stream and a random word at the end.
package struct DeliverySubject: Hashable, Sendable {
    package var streamSequence: UInt64
    /// Counts the deliveries of this consumer from 1.
    package var consumerSequence: UInt64
    /// Nanoseconds since 1970, when the message was stored.
    package var timestamp: UInt64
    /// Messages that match and follow.
    package var pending: UInt64

    /// nil when the subject is another one.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count > 8, bytes[0] == UInt8(ascii: "$"), bytes[1] == UInt8(ascii: "J") else { return nil }
        // Where the words start: nine of them, or eleven and perhaps more.
        var starts = InlineArray<13, Int>(repeating: 0)
        var count = 1
        for index in 0..<bytes.count where bytes[index] == Byte.dot {
            guard count < 13 else { return nil }
            starts[count] = index + 1
            count += 1
        }
        let first = count == 9 ? 4 : 6
        guard count == 9 || count == 11 || count == 12 else { return nil }
        func number(_ word: Int) -> UInt64? {
            let end = word + 1 < count ? starts[word + 1] - 1 : bytes.count
            return DecimalNumber.parse(bytes, starts[word]..<end)
        }
        guard let stream = number(first + 1), let consumer = number(first + 2), let time = number(first + 3),
            let pending = number(first + 4)
        else { return nil }
        (streamSequence, consumerSequence, timestamp, self.pending) = (stream, consumer, time, pending)
    }
}
