import Foundation
import NATSServerKit
import ProcessKit
import Testing

/// Who a node is to NATS servers that ask, and whom it trusts.
@Suite(
    "A node and servers that ask who it is", .serialized, .enabled(if: !BrokerProcess.isPeer), .timeLimit(.minutes(3)))
struct FlockCredentialsTests {
    private func server(_ configuration: String) async throws -> NATSServer {
        var options = NATSServer.Options()
        options.configuration = configuration
        return try await NATSServer(options)
    }

    private func address(_ server: NATSServer, _ before: String = "", scheme: String = "nats") -> [String] {
        ["--node", "n", "--nats", "\(scheme)://\(before)127.0.0.1:\(server.port)"]
    }

    private func letsIn(_ options: [String]) async throws {
        try await BrokerProcess.with(options) { broker in
            try await MosquittoClients(broker: broker, version: "5").publish(["-t", "t", "-q", "1", "-m", "x"])
        }
    }

    private func refuses(_ options: [String], saying text: String) async throws {
        let process = try ChildProcess(try Tool.dunlin(), ["serve", "--listen", "127.0.0.1:0"] + options)
        #expect(try await process.wait() != 0)
        #expect(process.output.text.contains(text), "\(process.output.text)")
    }

    private func withFile(_ text: String, _ body: (String) async throws -> Void) async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        try await body(file.path)
    }

    @Test func aUserAndItsPassword() async throws {
        let server = try await server("authorization { user: dunlin, password: \"a@b:c\" }")
        try await letsIn(address(server, "dunlin:a%40b%3Ac@"))
        try await withFile("a@b:c\nof no meaning\n") { file in
            try await letsIn(address(server) + ["--nats-user", "dunlin", "--nats-password-file", file])
        }
        try await refuses(address(server, "dunlin:wrong@"), saying: "NATS does not let this node in")
        try await refuses(address(server), saying: "NATS does not let this node in")
        try await refuses(
            address(server) + ["--nats-user", "dunlin"], saying: "nats.password-file: is missing")
        try await refuses(
            address(server) + ["--nats-user", "dunlin", "--nats-password-file", "/nowhere"],
            saying: "/nowhere cannot be read")
    }

    @Test func aToken() async throws {
        let server = try await server("authorization { token: secret }")
        try await letsIn(address(server, "secret@"))
        try await withFile("secret\n") { try await letsIn(address(server) + ["--nats-token-file", $0]) }
        try await withFile("wrong\n") { file in
            try await refuses(
                address(server) + ["--nats-token-file", file], saying: "NATS does not let this node in")
        }
        try await withFile("\n") { file in
            try await refuses(address(server) + ["--nats-token-file", file], saying: "has nothing in its first line")
        }
    }

    /// What docs/clustering.md says a node needs.
    @Test func aUserWithNoMorePermissionsThanItNeeds() async throws {
        let server = try await server(
            """
            authorization {
              users: [{
                user: dunlin, password: secret
                permissions: { publish: ["dunlin.>", "$JS.>"], subscribe: ["dunlin.>", "_INBOX.>"] }
              }]
            }
            """)
        try await letsIn(address(server, "dunlin:secret@"))
    }

    @Test func overTLS() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let certificate = try await ServerCertificate(in: folder)
        let server = try await server(certificate.configuration)
        for scheme in ["tls", "nats"] {
            try await letsIn(address(server, scheme: scheme) + ["--nats-ca", certificate.certificate.path])
        }
        try await refuses(address(server, scheme: "tls"), saying: "NATS cannot be reached over TLS")
        try await refuses(
            address(server) + ["--nats-ca", certificate.key.path], saying: "holds no certificate in PEM form")
    }
}
