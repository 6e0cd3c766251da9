/// Addresses that begin with the same bits, written `192.168.0.0/16`, `::1`; `unix` stands for the other end of a Unix
/// socket.
package struct AddressRange: Sendable, Hashable, CustomStringConvertible {
    /// 4 bytes (IPv4), 16 (IPv6), none (Unix socket).
    package let bytes: [UInt8]
    /// Bits that have to be the same.
    package let prefixLength: Int

    package static let unix = AddressRange(bytes: [], prefixLength: 0)

    private init(bytes: [UInt8], prefixLength: Int) {
        self.bytes = bytes
        self.prefixLength = prefixLength
    }

    /// nil when `text` is no such range.
    package init?(parsing text: String) {
        if text == "unix" {
            self = .unix
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parsing: String(parts[0])) else { return nil }
        var length = address.bytes.count * 8
        if parts.count == 2 {
            guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(parts[1]), number <= length
            else { return nil }
            length = number
        }
        self.init(bytes: address.bytes, prefixLength: length)
    }

    /// Whether the address is one of the range. An IPv4 address that comes in IPv6's form counts as the IPv4 address.
    package func contains(_ address: IPAddress?) -> Bool {
        guard let address else { return bytes.isEmpty }
        let other = address.unmapped.bytes
        guard !bytes.isEmpty, other.count == bytes.count else { return false }
        for index in 0..<(prefixLength / 8) where other[index] != bytes[index] { return false }
        let bits = prefixLength % 8
        guard bits > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
        return other[prefixLength / 8] & mask == bytes[prefixLength / 8] & mask
    }

    package var description: String {
        bytes.isEmpty ? "unix" : "\(IPAddress(bytes: bytes))/\(prefixLength)"
    }
}
