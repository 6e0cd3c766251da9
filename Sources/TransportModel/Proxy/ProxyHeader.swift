/// The header of the PROXY protocol, version 1 or 2, with which a proxy tells whose connection it passes on
/// (haproxy.org/download/1.8/doc/proxy-protocol.txt).
package struct ProxyHeader: Sendable, Hashable {
    /// The client's address; nil when the proxy speaks for itself (LOCAL), does not know it (UNKNOWN), or when it is no
    /// IP address.
    package let address: IPAddress?
    /// The client's port; 0 without an address.
    package let port: Int
    /// The proxy's own connection, as for a check of health, and no client's.
    package let isLocal: Bool

    /// What is made of the bytes so far.
    package enum Outcome: Sendable, Hashable {
        case incomplete
        /// The rest begins behind the first `byteCount` bytes.
        case header(ProxyHeader, byteCount: Int)
    }

    /// Bytes that are no header: the connection ends, since whatever comes may be made up.
    package struct Malformed: Error, Sendable, Hashable {
        package let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    /// Longest header of version 2 with its additional fields, bytes. Version 1 has 107 at most.
    package static let maximumSize = 4_096
    static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]

    init(address: IPAddress?, port: Int, isLocal: Bool = false) {
        self.address = address
        self.port = address == nil ? 0 : port
        self.isLocal = isLocal
    }

    /// Reads a header from the start of a connection.
    ///
    /// - Throws: `Malformed`, as early as it can be told.
    package static func parse(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> Outcome {
        guard let first = bytes.first else { return .incomplete }
        return first == UInt8(ascii: "P") ? try parseVersion1(bytes) : try parseVersion2(bytes)
    }

    // MARK: Version 2

    private static func parseVersion2(_ bytes: UnsafeRawBufferPointer) throws(Malformed) -> Outcome {
        guard zip(bytes, signature).allSatisfy({ $0 == $1 }) else { throw Malformed("no PROXY protocol header") }
        guard bytes.count >= 16 else { return .incomplete }
        guard bytes[12] >> 4 == 2 else { throw Malformed("a version other than 1 and 2") }
        let command = bytes[12] & 0x0F
        guard command <= 1 else { throw Malformed("an unknown command") }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        guard 16 + length <= maximumSize else { throw Malformed("longer than \(maximumSize) bytes") }
        guard bytes.count >= 16 + length else { return .incomplete }
        let body = UnsafeRawBufferPointer(rebasing: bytes[16..<(16 + length)])
        return .header(
            command == 0
                ? ProxyHeader(address: nil, port: 0, isLocal: true)
                : try header(family: bytes[13] >> 4, transport: bytes[13] & 0x0F, body),
            byteCount: 16 + length)
    }

    /// Source address, destination address, source port, destination port; then fields that are not needed.
    private static func header(
        family: UInt8, transport: UInt8, _ body: UnsafeRawBufferPointer
    ) throws(Malformed) -> ProxyHeader {
        let size: Int
        switch family {
        case 0: return ProxyHeader(address: nil, port: 0)
        case 1: size = 4
        case 2: size = 16
        case 3:
            guard body.count >= 216 else { throw Malformed("no room for the addresses") }
            return ProxyHeader(address: nil, port: 0)
        default: throw Malformed("an unknown address family")
        }
        guard transport <= 1 else { throw Malformed("a transport that is no stream") }
        guard body.count >= 2 * size + 4 else { throw Malformed("no room for the addresses") }
        let port = Int(body[2 * size]) << 8 | Int(body[2 * size + 1])
        return ProxyHeader(address: IPAddress(bytes: Array(body[..<size])), port: port)
    }
}
