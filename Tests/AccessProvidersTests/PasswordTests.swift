import AccessControl
import Logging
import MQTTModel
import Testing

@testable import AccessProviders

@Suite("Passwords")
struct PasswordTests {
    private func request(
        _ userName: String?, _ password: String?, method: String? = nil, data: [UInt8] = []
    ) -> AuthenticationRequest {
        AuthenticationRequest(
            clientIdentifier: "c", userName: userName, password: password.map { Array($0.utf8) }, method: method,
            data: data)
    }

    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func file(_ text: String) -> PasswordFile {
        var problems: [AccessProblem] = []
        let file = PasswordFile(parsing: text, problems: &problems)
        #expect(problems.isEmpty)
        return file
    }

    @Test(arguments: PasswordHash.Scheme.allCases)
    func aHashReadsBackAndKnowsItsPassword(_ scheme: PasswordHash.Scheme) throws {
        let hash = try PasswordHash(Array("secret".utf8), scheme: scheme)
        let read = try #require(PasswordHash(parsing: hash.text))
        #expect(read == hash)
        #expect(read.verify(Array("secret".utf8)))
        #expect(!read.verify(Array("Secret".utf8)))
        #expect(!read.verify([]))
        #expect(try PasswordHash(Array("secret".utf8), scheme: scheme) != hash)
    }

    /// RFC 7914, section 12: of the password "pleaseletmein" and the salt "SodiumChloride", N 16384, r 8, p 1.
    private static let rfc7914: String = {
        let hex =
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
            + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        var bytes: [UInt8] = []
        var rest = Substring(hex)
        while !rest.isEmpty {
            bytes.append(UInt8(rest.prefix(2), radix: 16)!)
            rest = rest.dropFirst(2)
        }
        return PasswordHash.text(bytes)
    }()

    @Test func scryptMatchesTheTestVectorOfTheStandard() throws {
        let salt = PasswordHash.text(Array("SodiumChloride".utf8))
        let hash = try #require(PasswordHash(parsing: "$scrypt$ln=14,r=8,p=1$\(salt)$\(Self.rfc7914)"))
        #expect(hash.verify(Array("pleaseletmein".utf8)))
        #expect(!hash.verify(Array("pleaseletmeout".utf8)))
    }

    /// Written by mosquitto_passwd 2.0 for the password "password".
    @Test func mosquittosFileIsRead() throws {
        let file = file("# comment\r\n\r\nroger:$7$101$" + Self.mosquitto + "\r\n")
        let hash = try #require(file.hashes(of: "roger").first)
        #expect(hash.verify(Array("password".utf8)))
        #expect(!hash.verify(Array("Password".utf8)))
    }

    static let mosquitto =
        "6UXJyp2UMVsOBOXL$nQ/X5ZrxZG+G+OMpA4V2TW/7FGl3avt2RKPLTYJg7CAcDmRf2ywq6MMlm6fO7fX2Xcm/J5M5w7TURBdLXfusFQ=="

    @Test(arguments: [
        "roger", ":$7$101$c2FsdA==$c2FsdHNhbHRzYWx0c2FsdA==", "roger:", "roger:plain", "roger:$6$c2FsdA==$aGFzaA==",
        "roger:$7$0$c2FsdA==$c2FsdHNhbHRzYWx0c2FsdA==", "roger:$7$99999999$c2FsdA==$c2FsdHNhbHRzYWx0c2FsdA==",
        "roger:$7$101$c2FsdA==$", "roger:$7$101$!$c2FsdHNhbHRzYWx0c2FsdA==",
        "roger:$scrypt$ln=30,r=8,p=1$c2FsdA==$c2FsdHNhbHRzYWx0c2FsdA==",
        "roger:$scrypt$ln=20,r=32,p=1$c2FsdA==$c2FsdHNhbHRzYWx0c2FsdA==",
        "roger:$scrypt$ln=14,r=8$c2FsdA==$c2FsdHNhbHRzYWx0c2FsdA==",
        "roger:SCRAM-SHA-256$4096:c2FsdA==$AA==:AA==", "roger:SCRAM-SHA-256$", "roger:$argon2id$v=19$x$y",
    ])
    func aLineThatIsNoneIsToldWithoutWhatItSays(_ line: String) {
        var problems: [AccessProblem] = []
        let file = PasswordFile(parsing: "ok:" + PasswordTests.cheap + "\n" + line, problems: &problems)
        #expect(problems.map(\.line) == [2])
        #expect(problems.allSatisfy { !$0.text.contains("plain") })
        #expect(file.hashes(of: "roger").isEmpty)
    }

    static let cheap = PasswordHash.scrypt(
        logarithmOfRounds: 4, blockSize: 8, parallelism: 1, salt: [1], key: Array(repeating: 1, count: 16)
    ).text

    // MARK: The provider

    @Test func theProviderKnowsItsUsersAndNoOthers() async throws {
        let threads = HashingThreads(count: 1)
        var file = PasswordFile()
        file.append("alice", try PasswordHash(Array("secret".utf8), scheme: .scrypt))
        let provider = PasswordProvider(file: file, threads: threads)
        // Twice: hashed, and remembered.
        for _ in 0..<2 {
            #expect(await provider.authenticate(request("alice", "secret")).grant?.userName == "alice")
            #expect(await provider.authenticate(request("alice", "wrong")).reason == .badUserNameOrPassword)
        }
        #expect(await provider.authenticate(request("bob", "secret")).isIgnore)
        #expect(await provider.authenticate(request("alice", nil)).isIgnore)
        #expect(await provider.authenticate(request(nil, "secret")).isIgnore)
        #expect(await provider.authenticate(request("alice", "secret", method: "X")).isIgnore)
        // What was proven holds as long as the line that it was proven by.
        let credential = try #require(await provider.authenticate(request("alice", "secret")).grant?.credential)
        #expect(provider.stillHolds(credential, of: "alice"))
        #expect(!provider.stillHolds(credential, of: "bob"))
        let withMore = file
        file.append("alice", try PasswordHash(Array("other".utf8), scheme: .pbkdf2))
        #expect(PasswordProvider(file: file, threads: threads).stillHolds(credential, of: "alice"))
        file.remove("alice")
        #expect(!PasswordProvider(file: file, threads: threads).stillHolds(credential, of: "alice"))
        file.append("alice", try PasswordHash(Array("secret".utf8), scheme: .scrypt))
        let anew = PasswordProvider(file: file, threads: threads)
        #expect(!anew.stillHolds(credential, of: "alice"), "the password was set anew")
        let chain = AuthenticatorChain(
            [anew, PasswordProvider(file: withMore, threads: threads)], allowsAnonymous: false, logger: logger)
        #expect(chain.stillHolds(credential, of: "alice"))
        await threads.stop()
        #expect(await provider.authenticate(request("alice", "other")).reason == .serverUnavailable)
    }

    @Test func passwordsThatWaitTooLongOrAreTooManyAreNotHashed() async throws {
        var file = PasswordFile()
        file.append("alice", try PasswordHash(Array("secret".utf8), scheme: .scrypt))
        for threads in [HashingThreads(count: 1, patience: .zero), HashingThreads(count: 1, maximumWaiting: 0)] {
            let provider = PasswordProvider(file: file, threads: threads)
            #expect(await provider.authenticate(request("alice", "secret")).reason == .serverUnavailable)
            await threads.stop()
        }
    }

    // MARK: The chain

    private struct Fixed: AuthenticationProvider {
        let name = "fixed"
        let answer: ProviderAnswer
        func authenticate(_ request: AuthenticationRequest) async -> ProviderAnswer { answer }
    }

    @Test func theFirstThatDoesNotIgnoreDecides() async {
        let chain = AuthenticatorChain(
            [
                Fixed(answer: .ignore), Fixed(answer: .allow(AccessGrant(userName: "first"))),
                Fixed(answer: .deny(.notAuthorized)),
            ], allowsAnonymous: false, logger: .init(label: "test"))
        guard case .allowed(let grant) = await chain.outcome(of: request("u", "p")) else {
            Issue.record("denied")
            return
        }
        #expect(grant.userName == "first")
    }

    @Test func whomNobodyKnowsIsNotLetIn() async {
        let strict = AuthenticatorChain([], allowsAnonymous: false, logger: .init(label: "test"))
        let open = AuthenticatorChain([], allowsAnonymous: true, logger: .init(label: "test"))
        #expect(await strict.outcome(of: request(nil, nil)).reason == .notAuthorized)
        #expect(await open.outcome(of: request(nil, nil)).reason == nil)
        for chain in [strict, open] {
            #expect(await chain.outcome(of: request("u", "p")).reason == .badUserNameOrPassword)
            #expect(await chain.outcome(of: request("u", nil)).reason == .badUserNameOrPassword)
            #expect(await chain.outcome(of: request(nil, nil, method: "GS2-KRB5")).reason == .badAuthenticationMethod)
        }
    }

    @Test func aCertificateIsAName() async {
        var request = request(nil, nil)
        let provider = CertificateProvider(field: .commonName)
        #expect(await provider.authenticate(request).isIgnore)
        request.transport = TransportIdentity(certificate: CertificateIdentity(commonName: "sensor"))
        #expect(await provider.authenticate(request).grant?.userName == "sensor")
        #expect(await CertificateProvider(field: .dns).authenticate(request).isIgnore)
    }

    @Test func aRequestDoesNotShowItsPassword() {
        let request = request("alice", "hunter2")
        var dumped = ""
        dump(request, to: &dumped)
        for text in ["\(request)", String(reflecting: request), dumped] {
            #expect(!text.contains("hunter2") && !text.contains("104"), "\(text)")
        }
    }
}

extension ProviderAnswer {
    var grant: AccessGrant? { if case .allow(let grant) = self { grant } else { nil } }
    var reason: ReasonCode? { if case .deny(let reason) = self { reason } else { nil } }
    var isIgnore: Bool { if case .ignore = self { true } else { false } }
}

extension AuthenticationOutcome {
    var reason: ReasonCode? { if case .denied(let reason) = self { reason } else { nil } }
}
