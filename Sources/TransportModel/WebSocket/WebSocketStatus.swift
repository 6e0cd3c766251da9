/// Why a WebSocket connection ends (RFC 6455, 7.4).
package struct WebSocketStatus: Sendable, Hashable {
    package let code: UInt16

    package init(code: UInt16) { self.code = code }

    package static let normal = WebSocketStatus(code: 1000)
    package static let protocolError = WebSocketStatus(code: 1002)
    /// A kind of data that is not taken: text.
    package static let unsupportedData = WebSocketStatus(code: 1003)
    package static let messageTooBig = WebSocketStatus(code: 1009)

    /// Whether it may be in a close frame: some only stand for what was not in one.
    var mayBeSent: Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}

/// What a client must not do over WebSocket. It ends the connection.
package struct WebSocketViolation: Error, Sendable, Hashable {
    /// What the client is told.
    package let status: WebSocketStatus
    /// For the log.
    package let detail: String

    init(_ status: WebSocketStatus, _ detail: String) {
        self.status = status
        self.detail = detail
    }
}
