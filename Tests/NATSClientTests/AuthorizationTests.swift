import Crypto
import Foundation
import NATSClient
import NATSProtocol
import NATSServerKit
import NIOCore
import NIOSSL
import Testing

@Suite("NATS client: who it is, and TLS", .timeLimit(.minutes(1)))
struct AuthorizationTests {
    /// Connects with right and wrong credentials to a server with this configuration.
    private func check(_ configuration: String, right: Credentials, wrong: Credentials) async throws {
        var serverOptions = NATSServer.Options()
        serverOptions.configuration = configuration
        let server = try await NATSServer(serverOptions)
        var options = NATSOptions.of(server.url)
        options.credentials = right
        let client = try await NATSClient.connected(options)
        #expect(await client.flush())
        await client.close()
        for credentials in [wrong, .none] {
            options.credentials = credentials
            let stranger = await NATSClient(options)
            do throws(NATSError) {
                try await stranger.connect()
                Issue.record("\(credentials) was let in")
            } catch {
                guard case .notConnected(.refused) = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
    }

    @Test func byPassword() async throws {
        try await check(
            "authorization { user: dunlin, password: \"a b\\\"c\" }",
            right: .password(user: "dunlin", password: "a b\"c"), wrong: .password(user: "dunlin", password: "x"))
    }

    @Test func byToken() async throws {
        try await check("authorization { token: secret }", right: .token("secret"), wrong: .token("x"))
    }

    @Test func byKey() async throws {
        let user = Identity(.user)
        try await check(
            "authorization { users: [ { nkey: \(user.publicKey) } ] }", right: .nkey(seed: user.seed),
            wrong: .nkey(seed: Identity(.user).seed))
    }

    @Test func byJWT() async throws {
        let (authority, account, user) = (Identity(.operator), Identity(.account), Identity(.user))
        let operatorJWT = authority.jwt(for: authority, type: "operator")
        let system = Identity(.account)
        let limits =
            #""limits":{"subs":-1,"data":-1,"payload":-1,"imports":-1,"exports":-1,"wildcards":true,"conn":-1,"leaf":-1}"#
        let accountJWT = authority.jwt(for: account, type: "account", claims: limits)
        let systemJWT = authority.jwt(for: system, type: "account", claims: limits)
        let userJWT = account.jwt(for: user, type: "user", claims: #""subs":-1,"data":-1,"payload":-1"#)
        let file = """
            -----BEGIN NATS USER JWT-----
            \(userJWT)
            ------END NATS USER JWT------
            -----BEGIN USER NKEY SEED-----
            \(user.seed)
            ------END USER NKEY SEED------
            """
        try await check(
            """
            operator: \(operatorJWT)
            resolver: MEMORY
            system_account: \(system.publicKey)
            resolver_preload: { \(account.publicKey): \(accountJWT), \(system.publicKey): \(systemJWT) }
            """,
            right: try #require(Credentials(file: file)), wrong: .jwt(userJWT, seed: Identity(.user).seed))
    }

    @Test func credentialsAreReadFromFiles() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "creds-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let seed = Identity(.user).seed
        let creds =
            "-----BEGIN NATS USER JWT-----\na.b.c\n-----END-----\n-----BEGIN USER NKEY SEED-----\n\(seed)\n----\n"
        let table: [(text: String, kind: NATSOptions.CredentialsFile, read: Credentials?)] = [
            ("p\r\nx", .password(ofUser: "u"), .password(user: "u", password: "p")), ("t", .token, .token("t")),
            ("\nt", .token, nil), ("", .token, nil), (seed + "\n", .nkey, .nkey(seed: seed)), ("SU", .nkey, nil),
            (Identity(.account).seed, .nkey, nil), (creds, .jwt, .jwt("a.b.c", seed: seed)), (seed, .jwt, nil),
        ]
        for (text, kind, read) in table {
            try Data(text.utf8).write(to: file)
            var options = NATSOptions(servers: [])
            try? options.readCredentials(kind, from: file.path)
            #expect(options.credentials == read ?? .none, "\(text)")
        }
    }

    @Test func aMissingPermissionIsToldWithoutTheConnection() async throws {
        var serverOptions = NATSServer.Options()
        serverOptions.configuration =
            "authorization { users: [ { user: a, password: b, permissions: { publish: \"ok.>\", subscribe: \">\" } } ] }"
        let server = try await NATSServer(serverOptions)
        var options = NATSOptions.of(server.url)
        options.credentials = .password(user: "a", password: "b")
        let client = try await NATSClient.connected(options)
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        await client.perform { $0.complaintHandler = { continuation.yield($0) } }
        try await client.publish(ByteBuffer(), to: "secret")
        #expect(await stream.first(1)[0].contains("Permissions Violation for Publish to \"secret\""))
        #expect(await client.flush())
        await client.close()
    }

    @Test func overTLS() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let certificate = try await ServerCertificate(in: folder)
        var serverOptions = NATSServer.Options()
        serverOptions.configuration = certificate.configuration
        let server = try await NATSServer(serverOptions)
        for host in ["localhost", "127.0.0.1"] {
            var options = NATSOptions(servers: [ServerAddress(host: host, port: server.port)])
            options.tlsConfiguration.trustRoots = .file(certificate.certificate.path)
            let client = try await NATSClient.connected(options)
            let messages = try await client.messages("a")
            try await client.publish(ByteBuffer(repeating: 7, count: 1 << 20), to: "a")
            #expect(await messages.first(1)[0].payload.readableBytes == 1 << 20)
            await client.close()
        }
        // Not trusted.
        let stranger = await NATSClient(NATSOptions(servers: [ServerAddress(host: "localhost", port: server.port)]))
        do throws(NATSError) {
            try await stranger.connect()
            Issue.record("a certificate that nobody vouches for was taken")
        } catch {
            guard case .notConnected(.tlsFailed) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func tlsThatIsRequiredIsNotDoneWithout() async throws {
        let server = try await NATSServer()
        var options = NATSOptions.of(server.url)
        options.tlsMode = .required
        let client = await NATSClient(options)
        await #expect(throws: NATSError.notConnected(.tlsNotOffered)) { try await client.connect() }
    }
}

/// A key pair of an operator, account or user.
private struct Identity {
    let kind: NKey.Kind
    let key = Curve25519.Signing.PrivateKey()

    init(_ kind: NKey.Kind) { self.kind = kind }

    var seed: String { NKey.encodeSeed(kind, key: Array(key.rawRepresentation)) }
    var publicKey: String { NKey.encodePublicKey(kind, key: Array(key.publicKey.rawRepresentation)) }

    /// What this one says of `subject`, signed.
    func jwt(for subject: Identity, type: String, claims: String = "") -> String {
        let body = """
            {"jti":"x","iat":1600000000,"iss":"\(publicKey)","name":"test","sub":"\(subject.publicKey)",\
            "nats":{\(claims)\(claims.isEmpty ? "" : ",")"type":"\(type)","version":2}}
            """
        let text = encode(#"{"typ":"JWT","alg":"ed25519-nkey"}"#.utf8) + "." + encode(body.utf8)
        let signature = try? key.signature(for: Data(text.utf8))
        return text + "." + encode(signature ?? Data())
    }

    private func encode(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").filter { $0 != "=" }
    }
}
