import Testing
import TransportModel

@Suite("PROXY protocol")
struct ProxyHeaderTests {
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    private func parse(_ bytes: [UInt8]) throws -> ProxyHeader.Outcome {
        try bytes.withUnsafeBytes { try ProxyHeader.parse($0) }
    }

    /// Parses, and sees that every beginning is incomplete and that the rest is left alone.
    private func header(_ bytes: [UInt8]) throws -> ProxyHeader? {
        for count in 0..<bytes.count { #expect(try parse(Array(bytes[..<count])) == .incomplete, "\(count)") }
        guard case .header(let header, let byteCount) = try parse(bytes + [0x10, 0x0C]) else { return nil }
        #expect(byteCount == bytes.count)
        return header
    }

    private func version2(_ command: UInt8, _ family: UInt8, _ body: [UInt8]) -> [UInt8] {
        Self.signature + [0x20 | command, family, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
    }

    @Test(
        arguments: [
            ("PROXY TCP4 192.0.2.1 192.0.2.2 51000 1883\r\n", "192.0.2.1", 51_000),
            ("PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n", "2001:db8::1", 65_535),
            ("PROXY UNKNOWN\r\n", nil, 0), ("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", nil, 0),
        ] as [(String, String?, Int)])
    func version1TellsTheClient(line: String, address: String?, port: Int) throws {
        let header = try #require(try header(Array(line.utf8)))
        #expect(header.address?.description == address)
        #expect(header.port == port)
    }

    @Test(
        arguments: [
            "PROXY TCP4 192.0.2.1 192.0.2.2 51000 1883\n", "PROXY TCP4 192.0.2.1 192.0.2.2 51000\r\n",
            "PROXY TCP4 ::1 192.0.2.2 51000 1883\r\n", "PROXY TCP6 192.0.2.1 ::1 51000 1883\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 65536 1883\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 051 1883\r\n",
            "PROXY TCP4  192.0.2.1 192.0.2.2 51000 1883\r\n", "PROXY UDP4 192.0.2.1 192.0.2.2 51000 1883\r\n",
            "PROXY \r\n", "PRIXY TCP4", "POST / HTTP/1.1\r\n",
            "PROXY UNKNOWN " + String(repeating: "x", count: 100) + "\r\n",
        ])
    func version1IsReadStrictly(line: String) {
        #expect(throws: ProxyHeader.Malformed.self) { try parse(Array(line.utf8)) }
    }

    @Test func version2TellsTheClient() throws {
        let ports: [UInt8] = [0xC7, 0x38, 0x07, 0x5B]
        let four = try header(version2(1, 0x11, [192, 0, 2, 1, 192, 0, 2, 2] + ports))
        #expect(four?.address?.description == "192.0.2.1")
        #expect(four?.port == 51_000)
        let six: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        // With further fields behind the addresses.
        let header6 = try header(version2(1, 0x21, six + six + ports + [0x04, 0, 1, 0]))
        #expect(header6?.address?.description == "2001:db8::1")
        #expect(try header(version2(0, 0, []))?.isLocal == true)
        #expect(try header(version2(0, 0x11, [1, 2, 3]))?.isLocal == true)
        #expect(try header(version2(1, 0x31, [UInt8](repeating: 1, count: 216)))?.address == nil)
        #expect(try header(version2(1, 0, []))?.address == nil)
    }

    @Test func version2IsReadStrictly() {
        let bad = [
            version2(2, 0x11, [UInt8](repeating: 0, count: 12)), version2(1, 0x11, [UInt8](repeating: 0, count: 11)),
            version2(1, 0x21, [UInt8](repeating: 0, count: 12)), version2(1, 0x12, [UInt8](repeating: 0, count: 12)),
            version2(1, 0x41, [UInt8](repeating: 0, count: 12)), version2(1, 0x31, [UInt8](repeating: 0, count: 12)),
            Self.signature + [0x31, 0x11, 0, 12], Self.signature + [0x21, 0x11, 0x10, 0x00],
            Array(Self.signature.dropLast()) + [0x0B], [0x10, 0x0C, 0x00, 0x04],
        ]
        for bytes in bad { #expect(throws: ProxyHeader.Malformed.self, "\(bytes)") { try parse(bytes) } }
    }
}
