/// What a server sends, as places in the bytes it was parsed from. Offsets count from the first byte of the command.
package enum ServerCommand: Hashable, Sendable {
    /// What the server is and can; the range holds a JSON object.
    case info(Range<Int>)
    /// MSG or HMSG.
    case message(MessageLayout)
    case ping
    case pong
    case ok
    /// The range holds the text without its quotes.
    case error(Range<Int>)
}

/// Where the parts of a message lie.
package struct MessageLayout: Hashable, Sendable {
    /// The number that the client gave its subscription.
    package var subscription: UInt64
    package var subject: Range<Int>
    /// Empty: no answer is wanted.
    package var reply: Range<Int>
    /// The header block with its version line and the empty line at its end; empty when there is none.
    package var headers: Range<Int>
    package var payload: Range<Int>

    package init(
        subscription: UInt64, subject: Range<Int>, reply: Range<Int>, headers: Range<Int>, payload: Range<Int>
    ) {
        self.subscription = subscription
        self.subject = subject
        self.reply = reply
        self.headers = headers
        self.payload = payload
    }
}

/// A command and how many bytes it took.
package struct ParsedCommand: Hashable, Sendable {
    package var command: ServerCommand
    package var byteCount: Int
}

/// The server said what the protocol does not allow, or more than the client takes. It ends the connection.
package struct ProtocolError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
