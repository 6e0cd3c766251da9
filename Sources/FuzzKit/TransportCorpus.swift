/// The inputs that fuzzing of the formats under MQTT starts from; the first byte is the format.
package enum TransportCorpus {
    package static let inputs: [[UInt8]] =
        proxyHeaders.map { [0] + $0 } + requests.map { [1] + $0 } + frames.map { [2] + $0 }

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private static let proxyHeaders: [[UInt8]] = [
        Array("PROXY TCP4 192.0.2.1 192.0.2.2 51000 1883\r\n".utf8),
        Array("PROXY TCP6 2001:db8::1 ::ffff:192.0.2.2 65535 0\r\n".utf8), Array("PROXY UNKNOWN\r\n".utf8),
        signature + [0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0xC7, 0x38, 0x07, 0x5B],
        signature + [0x21, 0x21, 0, 40] + [UInt8](repeating: 0x20, count: 36) + [4, 0, 1, 0],
        signature + [0x20, 0, 0, 0], signature + [0x21, 0x31, 0, 216] + [UInt8](repeating: 0x2F, count: 216),
    ]

    private static let requests: [[UInt8]] = [
        """
        GET /mqtt HTTP/1.1\r
        Host: localhost\r
        Upgrade: websocket\r
        Connection: keep-alive, Upgrade\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Version: 13\r
        Sec-WebSocket-Protocol: mqtt\r
        \r\n
        """, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    ].map { Array($0.utf8) }

    private static let frames: [[UInt8]] = [
        [0x82, 0x82, 1, 2, 3, 4, 0xC0 ^ 1, 0 ^ 2], [0x02, 0x81, 0, 0, 0, 0, 0xC0, 0x80, 0x81, 0, 0, 0, 0, 0],
        [0x89, 0x81, 9, 9, 9, 9, 9, 0x8A, 0x80, 0, 0, 0, 0], [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8],
        [0x82, 0xFE, 0, 126, 5, 6, 7, 8] + [UInt8](repeating: 0x55, count: 126), [0x81, 0x80, 0, 0, 0, 0],
    ]
}
