extension MQTTClient {
    /// The messages that arrive, in order, over all connections.
    ///
    /// There is one buffer, of `Configuration.messageBufferCapacity` messages: several iterators share it, and each
    /// message goes to one of them. A QoS 1 or 2 message is acknowledged when an iterator hands it out. While the buffer
    /// is full the client does not read from the server, so an answer that is waited for (`publish` with QoS > 0,
    /// `subscribe`) may be behind what is not read. In the loop that takes the messages rather use
    /// `publish(whenAnswered:)`, or another task; what happens otherwise says `Configuration.stallTimeout`.
    ///
    /// The sequence ends after `disconnect`, once the buffer is empty, and throws the error if the client closed because
    /// of one.
    public struct Messages: AsyncSequence, Sendable {
        public typealias Element = Message

        // The client itself, so that it lives as long as somebody takes its messages.
        let client: MQTTClient

        public struct AsyncIterator: AsyncIteratorProtocol {
            let client: MQTTClient

            /// Waits for the next message. Throws `CancellationError` when the task is cancelled.
            public mutating func next() async throws -> Message? {
                try await client.engine.nextMessage()
            }
        }

        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(client: client) }
    }
}
