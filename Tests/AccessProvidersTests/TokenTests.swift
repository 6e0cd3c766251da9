import AccessControl
import CryptoExtras
import Foundation
import JWTKit
import Logging
import MQTTModel
import NIOHTTP1
import Testing

@testable import AccessProviders

@Suite("JSON Web Tokens")
struct TokenTests {
    private static let secret = "0123456789abcdef0123456789abcdef"
    private static let now = 1_700_000_000.0

    private func request(_ token: String?, client: String = "c1", userName: String? = "x") -> AuthenticationRequest {
        AuthenticationRequest(
            clientIdentifier: client, userName: userName, password: token.map { Array($0.utf8) })
    }

    private func provider(
        _ keys: TokenKeys?, _ change: (inout TokenOptions) -> Void = { _ in }
    ) -> TokenProvider {
        var options = TokenOptions()
        change(&options)
        return TokenProvider(keys: keys, options: options) { Self.now }
    }

    private func signed(_ claims: [String: ClaimValue]) async throws -> String {
        let keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(from: Self.secret), digestAlgorithm: .sha256)
        return try await keys.sign(TokenClaims(all: claims))
    }

    private let alice: [String: ClaimValue] = ["sub": .text("alice")]

    @Test func aTokenIsTheProofAndTheName() async throws {
        let provider = provider(try await .secret(Array(Self.secret.utf8)))
        let grant = try #require(await provider.authenticate(request(try await signed(alice))).grant)
        #expect(grant.userName == "alice")
        #expect(grant.lifetime == nil)
    }

    struct Claim: Sendable {
        let claims: [String: ClaimValue]
        let isGranted: Bool
        init(_ claims: [String: ClaimValue], _ isGranted: Bool) { (self.claims, self.isGranted) = (claims, isGranted) }
    }

    @Test(arguments: [
        Claim([:], true),
        Claim(["exp": .number(now + 1)], true),
        Claim(["exp": .number(now - 4)], true),
        Claim(["exp": .number(now - 6)], false),
        Claim(["exp": .text("never")], false),
        Claim(["exp": .number(1e300)], true),
        Claim(["exp": .number(-1e300)], false),
        Claim(["nbf": .number(now + 4)], true),
        Claim(["nbf": .number(now + 6)], false),
        Claim(["iss": .text("other")], false),
        Claim(["aud": .text("other")], false),
        Claim(["aud": .list(["other", "broker"])], true),
        Claim(["client": .text("c1")], true),
        Claim(["client": .text("c2")], false),
        Claim(["client": .number(1)], false),
        Claim(["acl": .list(["allow read a/#"])], true),
        Claim(["acl": .list(["allow reed a/#"])], false),
        Claim(["acl": .number(1)], false),
        Claim(["sub": .number(1)], false),
        Claim(["sub": .text("")], false),
    ])
    func aTokenHasToBeInForceAndForThisClient(_ one: Claim) async throws {
        let provider = provider(try await .secret(Array(Self.secret.utf8))) {
            $0.issuer = "us"
            $0.audience = "broker"
            $0.clientIdentifierClaim = "client"
        }
        let good: [String: ClaimValue] = ["sub": .text("alice"), "iss": .text("us"), "aud": .text("broker")]
        let answer = await provider.authenticate(request(try await signed(good.merging(one.claims) { $1 })))
        #expect((answer.grant != nil) == one.isGranted)
        if !one.isGranted { #expect(answer.reason == .badUserNameOrPassword) }
    }

    @Test func claimsBecomeTheGrant() async throws {
        let provider = provider(try await .secret(Array(Self.secret.utf8))) {
            $0.userNameClaim = "name"
            $0.groupsClaim = "roles"
            $0.rulesClaim = "may"
        }
        let claims: [String: ClaimValue] = [
            "name": .text("al"), "roles": .list(["a", "b"]), "may": .list(["allow write t/%u"]),
            "exp": .number(Self.now + 90),
        ]
        let grant = try #require(await provider.authenticate(request(try await signed(claims))).grant)
        #expect(grant.userName == "al")
        #expect(grant.groups == ["a", "b"])
        #expect(grant.rules.map(\.description) == ["allow everyone write t/%u"])
        #expect(grant.lifetime == .seconds(90))
    }

    @Test func aSignatureOfAnotherSecretIsRefused() async throws {
        let provider = provider(try await .secret(Array(repeating: 7, count: 32)))
        #expect(await provider.authenticate(request(try await signed(alice))).reason == .badUserNameOrPassword)
    }

    @Test func aTokenWithoutSignatureIsRefused() async throws {
        let provider = provider(try await .secret(Array(Self.secret.utf8)))
        // {"alg":"none"}.{"sub":"alice"}.
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."
        #expect(await provider.authenticate(request(token)).reason == .badUserNameOrPassword)
    }

    @Test(arguments: [nil, "", "secret", "a.b.c", "eyJ.b", "eyJ.b.c.d", "eyJ b.c.d", "eyJ.b.ü"])
    func aPasswordThatIsNoTokenIsNotItsBusiness(_ password: String?) async throws {
        let provider = provider(try await .secret(Array(Self.secret.utf8)))
        #expect(await provider.authenticate(request(password)).isIgnore)
    }

    @Test(arguments: [
        "eyJ..", "eyJhbGciOiJIUzI1NiJ9..", "eyJhbGciOiJIUzI1NiJ9.e30.", "eyJ.eyJ.eyJ", "eyJhIjoxZTQwMH0.e30.AA",
    ])
    func aTokenThatIsMalformedIsRefused(_ token: String) async throws {
        let provider = provider(try await .secret(Array(Self.secret.utf8)))
        #expect(await provider.authenticate(request(token)).reason == .badUserNameOrPassword)
    }

    @Test func aShortSecretIsNone() async throws {
        await #expect(throws: TokenKeys.Malformed.self) { try await TokenKeys.secret(Array("short".utf8)) }
    }

    // MARK: Public keys

    @Test func publicKeysOfEveryKindVerify() async throws {
        let ecdsa = ES256PrivateKey()
        let eddsa = try EdDSA.PrivateKey(curve: .ed25519)
        let rsa = try Insecure.RSA.PrivateKey(backing: _RSA.Signing.PrivateKey(keySize: .bits2048))
        let signing = JWTKeyCollection()
        await signing.add(ecdsa: ecdsa, kid: "e").add(eddsa: eddsa, kid: "d").add(
            rsa: rsa, digestAlgorithm: .sha256, kid: "r")
        let pems = [
            "e": ecdsa.publicKey.pemRepresentation, "d": eddsa.publicKey.pemRepresentation,
            "r": rsa.publicKey.pemRepresentation,
        ]
        for (name, pem) in pems {
            let provider = provider(try await .publicKey(pem: pem))
            for signer in pems.keys {
                let token = try await signing.sign(TokenClaims(all: alice), kid: JWKIdentifier(string: signer))
                let answer = await provider.authenticate(request(token))
                #expect((answer.grant != nil) == (signer == name), "\(signer) with \(name)")
            }
        }
        // The public key is no secret: a token signed with HS256 and the PEM's bytes is not taken.
        let confusing = JWTKeyCollection()
        await confusing.add(hmac: HMACKey(from: pems["r"]!), digestAlgorithm: .sha256)
        let token = try await confusing.sign(TokenClaims(all: alice))
        let provider = provider(try await .publicKey(pem: pems["r"]!))
        #expect(await provider.authenticate(request(token)).reason == .badUserNameOrPassword)
    }

    @Test(arguments: ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
    func whatIsNoKeyIsToldSo(_ pem: String) async {
        await #expect(throws: TokenKeys.Malformed.self) { try await TokenKeys.publicKey(pem: pem) }
    }

    // MARK: Key sets

    private func keySet(_ key: ES256PrivateKey, _ name: String) throws -> String {
        let parameters = try #require(key.publicKey.parameters)
        return """
            {"keys": [{"kty": "unknown", "kid": "u"},
             {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "\(name)",
              "x": "\(parameters.x)", "y": "\(parameters.y)"}]}
            """
    }

    @Test func keysAreFetchedAndExchanged() async throws {
        let first = ES256PrivateKey()
        let second = ES256PrivateKey()
        let current = try Held(keySet(first, "1"))
        let server = try await TestHTTPServer.start { path, _ in
            path == "/jwks" ? .init(body: current.text) : .init(status: .notFound)
        }
        let client = AccessHTTPClient()
        let provider = provider(nil)
        func fetcher(_ path: String) -> TokenKeyFetcher {
            TokenKeyFetcher(
                url: server.url + path, interval: .seconds(60), client: client, provider: provider,
                logger: Logger(label: "test"))
        }
        func token(_ key: ES256PrivateKey, _ name: String) async throws -> String {
            let keys = JWTKeyCollection()
            await keys.add(ecdsa: key, kid: JWKIdentifier(string: name))
            return try await keys.sign(TokenClaims(all: alice), kid: JWKIdentifier(string: name))
        }
        // Before there are keys nobody is let in.
        #expect(await provider.authenticate(request(try await token(first, "1"))).reason == .serverUnavailable)
        #expect(await fetcher("/jwks").fetch())
        #expect(await provider.authenticate(request(try await token(first, "1"))).grant != nil)
        #expect(await provider.authenticate(request(try await token(second, "2"))).grant == nil)
        current.text = try keySet(second, "2")
        #expect(await fetcher("/jwks").fetch())
        #expect(await provider.authenticate(request(try await token(first, "1"))).grant == nil)
        #expect(await provider.authenticate(request(try await token(second, "2"))).grant != nil)
        // What is no key set changes nothing.
        current.text = "{}"
        #expect(await !fetcher("/jwks").fetch())
        #expect(await !fetcher("/other").fetch())
        #expect(await provider.authenticate(request(try await token(second, "2"))).grant != nil)
        await client.shutdown()
        await server.stop()
    }

    @Test(arguments: [
        "", "[]", #"{"keys": []}"#, #"{"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "1"}]}"#,
    ])
    func whatIsNoKeySetIsToldSo(_ json: String) async {
        await #expect(throws: TokenKeys.Malformed.self) { try await TokenKeys.keySet(json: Data(json.utf8)) }
    }
}

private final class Held: @unchecked Sendable {
    private let lock = NSLock()
    private var value: String

    init(_ value: String) { self.value = value }

    var text: String {
        get { lock.withLock { value } }
        set { lock.withLock { value = newValue } }
    }
}
