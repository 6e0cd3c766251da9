import AccessControl
import CryptoExtras
import MQTTModel
import Testing

@testable import AccessProviders

@Suite("SCRAM-SHA-256")
struct ScramTests {
    private func file(_ userName: String, _ password: String) throws -> PasswordFile {
        var file = PasswordFile()
        let credentials = try ScramCredentials(password: Array(password.utf8), salt: [1, 2, 3, 4], rounds: 4096)
        file.append(userName, .scram(credentials))
        return file
    }

    private func request(
        _ data: String, exchange: (any AuthenticationExchange)? = nil, renewed: String? = nil
    ) -> AuthenticationRequest {
        AuthenticationRequest(
            clientIdentifier: "c", method: ScramProvider.method, data: Array(data.utf8), exchange: exchange,
            renewedUserName: renewed)
    }

    /// RFC 7677, section 3.
    @Test func theExampleOfTheStandard() throws {
        let salt = try #require(PasswordHash.bytes("W22ZaJ0SNY7soEsUEjb6gQ=="))
        let credentials = try ScramCredentials(password: Array("pencil".utf8), salt: salt, rounds: 4096)
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        let first = try #require(ScramClientFirst(parsing: Array("n,,n=user,r=rOprNGfwEbeRWgbNEkqO".utf8)))
        let exchange = ScramExchange(first: first, credentials: credentials, isKnown: true, nonce: nonce)
        #expect(
            String(decoding: exchange.serverFirst, as: UTF8.self) == "r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
        let last = "c=biws,r=\(nonce),p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        let answer = try #require(exchange.verify(Array(last.utf8)))
        #expect(String(decoding: answer, as: UTF8.self) == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        for wrong in [
            "c=biws,r=\(nonce),p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVA=",
            "c=eSws,r=\(nonce),p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "c=biws,r=\(nonce)x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "c=biws,r=\(nonce)", "", "p=", ",p=", "c=biws,p=AAAA",
        ] {
            #expect(exchange.verify(Array(wrong.utf8)) == nil)
        }
    }

    @Test func aClientThatKnowsThePasswordIsLetIn() async throws {
        let provider = ScramProvider(file: try file("alice", "secret"))
        var client = ScramClient(userName: "alice", password: "secret")
        let first = await provider.authenticate(request(client.first))
        guard case .challenge(let data, let exchange) = first else {
            Issue.record("no challenge: \(first)")
            return
        }
        let last = await provider.authenticate(request(try client.last(data), exchange: exchange))
        #expect(last.grant?.userName == "alice")
        #expect(last.grant?.data == client.expectedServerFinal)
        let credential = try #require(last.grant?.credential)
        #expect(provider.stillHolds(credential, of: "alice"))
        #expect(!ScramProvider(file: try file("alice", "other")).stillHolds(credential, of: "alice"))
    }

    @Test(arguments: [("alice", "wrong"), ("bob", "secret")])
    func aClientThatDoesNotIsAnsweredAlike(_ userName: String, _ password: String) async throws {
        let provider = ScramProvider(file: try file("alice", "secret"))
        var challenges: [String] = []
        for _ in 0..<2 {
            var client = ScramClient(userName: userName, password: password)
            guard case .challenge(let data, let exchange) = await provider.authenticate(request(client.first)) else {
                Issue.record("no challenge")
                return
            }
            challenges.append(String(decoding: data, as: UTF8.self))
            let last = await provider.authenticate(request(try client.last(data), exchange: exchange))
            #expect(last.reason == .notAuthorized)
        }
        // The same salt each time, and the cost of those who are there; another nonce.
        let tails = challenges.map { $0.split(separator: ",").dropFirst().joined() }
        #expect(tails[0] == tails[1] && tails[0].hasSuffix("i=4096"))
        #expect(challenges[0] != challenges[1])
    }

    @Test func whoRenewsStaysWhoItIs() async throws {
        let provider = ScramProvider(file: try file("alice", "secret"))
        let client = ScramClient(userName: "alice", password: "secret")
        #expect(await provider.authenticate(request(client.first, renewed: "bob")).reason == .notAuthorized)
    }

    @Test(arguments: [
        "", "n", "n,,", "n,,n=,r=x", "n,,n=a", "n,,r=x,n=a", "p=tls-unique,,n=a,r=x", "n,a=b,n=a,r=x", "n,,n=a=2X,r=x",
        "n,,n=a,r=", "n,,n=a,r=x y", "n,,m=ext,n=a,r=x", "\u{0}",
    ])
    func aFirstMessageThatIsNoneIsRefused(_ message: String) async throws {
        let provider = ScramProvider(file: try file("alice", "secret"))
        #expect(await provider.authenticate(request(message)).reason == .notAuthorized)
    }

    @Test func namesMayHaveCommasAndSigns() throws {
        let first = try #require(ScramClientFirst(parsing: Array("y,,n=a=2Cb=3Dc,r=x".utf8)))
        #expect(first.userName == "a,b=c")
    }

    @Test func otherMethodsAreNotItsBusiness() async throws {
        let provider = ScramProvider(file: try file("alice", "secret"))
        let other = AuthenticationRequest(clientIdentifier: "c", method: "SCRAM-SHA-1")
        #expect(await provider.authenticate(other).isIgnore)
    }
}

/// The client's side, for tests.
struct ScramClient {
    let userName: String
    let password: String
    private let nonce = "clientnonce"
    private(set) var expectedServerFinal: [UInt8] = []

    init(userName: String, password: String) {
        self.userName = userName
        self.password = password
    }

    var first: String { "n,,n=\(userName),r=\(nonce)" }

    mutating func last(_ serverFirst: [UInt8]) throws -> String {
        let text = String(decoding: serverFirst, as: UTF8.self)
        var values: [Character: String] = [:]
        for part in text.split(separator: ",") { values[part.first!] = String(part.dropFirst(2)) }
        let salt = PasswordHash.bytes(values["s"]!)!
        let salted = try PasswordHash.pbkdf2(Array(password.utf8), salt, .sha256, rounds: Int(values["i"]!)!, count: 32)
        let credentials = try ScramCredentials(password: Array(password.utf8), salt: salt, rounds: Int(values["i"]!)!)
        let withoutProof = "c=biws,r=\(values["r"]!)"
        let message = Array("n=\(userName),r=\(nonce),\(text),\(withoutProof)".utf8)
        let clientKey = ScramCredentials.hmac(salted, Array("Client Key".utf8))
        let signature = ScramCredentials.hmac(credentials.storedKey, message)
        let proof = zip(clientKey, signature).map { $0 ^ $1 }
        expectedServerFinal = Array(
            "v=\(PasswordHash.text(ScramCredentials.hmac(credentials.serverKey, message)))".utf8)
        return "\(withoutProof),p=\(PasswordHash.text(proof))"
    }
}
