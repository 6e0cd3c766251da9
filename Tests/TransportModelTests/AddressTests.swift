import Testing
import TransportModel

@Suite("Addresses")
struct AddressTests {
    @Test(
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "::"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("1::", "1::"), ("::ffff:1.2.3.4", "::ffff:102:304"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
            ("FE80::1", "fe80::1"),
        ])
    func anAddressIsReadAndWritten(text: String, written: String) {
        #expect(IPAddress(parsing: text)?.description == written)
    }

    @Test(
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.", ":", ":::", "1:2:3:4:5:6:7", "1::2::3",
            "12345::", "::1.2.3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "+1::", "::1%eth0", "host",
        ])
    func whatIsNoAddressIsNil(text: String) {
        #expect(IPAddress(parsing: text) == nil)
    }

    @Test(
        arguments: [
            ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false), ("0.0.0.0/0", "9.9.9.9", true), ("10.0.0.0/12", "10.15.1.1", true),
            ("10.0.0.0/12", "10.16.1.1", false), ("fe80::/10", "febf::1", true), ("fe80::/10", "fec0::1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true), ("0.0.0.0/0", "::1", false),
        ])
    func aRangeHoldsTheAddressesThatBeginAlike(range: String, address: String, isInside: Bool) throws {
        let range = try #require(AddressRange(parsing: range))
        #expect(range.contains(IPAddress(parsing: address)) == isInside)
    }

    @Test func onlyTheUnixRangeHoldsTheEndOfAUnixSocket() throws {
        #expect(AddressRange.unix.contains(nil))
        #expect(!AddressRange.unix.contains(IPAddress(parsing: "127.0.0.1")))
        let all = try #require(AddressRange(parsing: "0.0.0.0/0"))
        #expect(!all.contains(nil))
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "host/8", "::/129"])
    func whatIsNoRangeIsNil(text: String) {
        #expect(AddressRange(parsing: text) == nil)
    }

    @Test(
        arguments: [
            ("127.0.0.1:1883", ListenAddress(host: "127.0.0.1", port: 1883)),
            ("[::1]:0", ListenAddress(host: "::1", port: 0)),
            ("broker.example:65535", ListenAddress(host: "broker.example", port: 65_535)),
            ("tls://127.0.0.1:8883", ListenAddress(transport: .tls, host: "127.0.0.1", port: 8_883)),
            ("wss://[::]:443", ListenAddress(transport: .wss, host: "::", port: 443)),
            ("unix:/run/dunlin.sock", ListenAddress(unixPath: "/run/dunlin.sock")),
        ])
    func aListenAddressIsReadAndWritten(text: String, address: ListenAddress) throws {
        #expect(try ListenAddress(parsing: text) == address)
        #expect(address.description == text)
    }

    @Test(
        arguments: [
            "", "1883", ":1883", "::1:1883", "[::1]", "[localhost]:1883", "localhost:", "localhost:65536",
            "localhost:-1", "localhost:+1", "localhost:mqtt", "a b:1", "mqtt://localhost:1883", "tls://", "ws://x",
            "unix:", "tls:127.0.0.1:1",
        ])
    func whatIsNoListenAddressIsRefused(text: String) {
        #expect(throws: ListenAddress.Malformed.self) { try ListenAddress(parsing: text) }
    }

    @Test(
        arguments: [
            ("127.0.0.1", true), ("127.9.8.7", true), ("localhost", true), ("::1", true), ("0.0.0.0", false),
            ("::", false),
            ("192.168.1.2", false), ("127.0.0.1.example", false), ("127.1", false), ("example.com", false),
        ])
    func onlyLoopbackIsForThisMachineAlone(host: String, isLoopback: Bool) {
        #expect(ListenAddress(host: host, port: 1883).isLoopback == isLoopback)
    }
}
