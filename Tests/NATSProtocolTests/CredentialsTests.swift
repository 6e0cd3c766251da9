import NATSProtocol
import Testing

@Suite("NATS: addresses and credentials")
struct CredentialsTests {
    @Test func addressesAreReadAsPeopleWriteThem() {
        #expect(ServerAddress("nats://a") == ServerAddress(host: "a", port: 4222))
        #expect(ServerAddress("a:1") == ServerAddress(host: "a", port: 1))
        #expect(ServerAddress("tls://a.b:1/") == ServerAddress(host: "a.b", port: 1, requiresTLS: true))
        #expect(ServerAddress("[::1]:5") == ServerAddress(host: "::1", port: 5))
        #expect(ServerAddress("[::1]") == ServerAddress(host: "::1", port: 4222))
        for text in ["", "http://a", "a:", "a:0", "a:65536", "user:password@a:1", "nats://", "a b", "[::1"] {
            #expect(ServerAddress(text) == nil, "\(text)")
        }
        #expect(ServerAddress("nats://[::1]:7")?.description == "nats://[::1]:7")
    }

    @Test func seedsAreReadWithTheirKindAndChecksum() {
        let key = [UInt8](0..<32)
        for kind in [NKey.Kind.user, .account, .operator] {
            let seed = NKey.encodeSeed(kind, key: key)
            let decoded = NKey.decodeSeed(seed)
            #expect(decoded?.kind == kind)
            #expect(decoded?.key == key)
            #expect(NKey.decodeSeed(seed.dropLast()) == nil)
            #expect(NKey.decodeSeed("SU" + String(seed.dropFirst(2).reversed())) == nil)
        }
        #expect(NKey.encodeSeed(.user, key: key).hasPrefix("SU"))
        #expect(NKey.encodeSeed(.account, key: key).hasPrefix("SA"))
        #expect(NKey.encodePublicKey(.operator, key: key).hasPrefix("O"))
        #expect(NKey.decodeSeed(NKey.encodePublicKey(.user, key: key)) == nil)
    }

    @Test func credentialFilesHoldAJWTAndASeed() {
        let seed = NKey.encodeSeed(.user, key: Array(repeating: 7, count: 32))
        let file = """
            -----BEGIN NATS USER JWT-----
            abc.def.ghi
            ------END NATS USER JWT------

            ************************* IMPORTANT *************************
            -----BEGIN USER NKEY SEED-----
            \(seed)\u{20}
            ------END USER NKEY SEED------
            """
        #expect(Credentials(file: file) == .jwt("abc.def.ghi", seed: seed))
        #expect(Credentials(file: file.replacing("\n", with: "\r\n")) == .jwt("abc.def.ghi", seed: seed))
        #expect(Credentials(file: file.replacing(seed, with: "nonsense")) == nil)
        #expect(Credentials(file: "") == nil)
    }
}
