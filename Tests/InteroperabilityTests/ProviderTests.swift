import Foundation
import ProcessKit
import Testing

/// SCRAM-SHA-256, tokens and an HTTP server, seen by clients that are not ours.
@Suite("Providers of authentication", .serialized, .enabled(if: !BrokerProcess.isPeer))
struct ProviderTests {
    private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Scripts")

    private func script(_ name: String, _ arguments: [String]) throws -> ChildProcess {
        let path = Self.scripts.appending(path: name).path
        return try ChildProcess(
            try Tool.path("python3"), [path] + arguments, environment: ["PYTHONDONTWRITEBYTECODE": "1"])
    }

    @Test func aClientOfSCRAMIsLetInAndProvesItselfAgain() async throws {
        let folder = try DataFolder()
        let passwords = folder.path + "/passwords"
        try await ChildProcess(
            try Tool.dunlin(), ["passwd", passwords, "carol", "--scheme", "scram"], input: "secret\n"
        ).succeed()
        let rules = folder.path + "/rules"
        try "allow everyone readwrite own/%u/#\n".write(toFile: rules, atomically: true, encoding: .utf8)
        try await BrokerProcess.with(["--password-file", passwords, "--rules-file", rules]) { broker in
            let right = try await script("scram.py", ["\(broker.port)", "carol", "secret"]).succeed()
            #expect(right == ["CONNACK 00", "server proven", "PUBACK 10", "AUTH 00", "server proven"])
            for arguments in [["carol", "wrong"], ["nobody", "secret"]] {
                let wrong = try await script("scram.py", ["\(broker.port)"] + arguments).succeed()
                #expect(wrong == ["CONNACK 87"])
            }
        }
    }

    @Test func tokensAndAnHTTPServerSayWhoClientsAre() async throws {
        let folder = try DataFolder()
        let secret = folder.path + "/secret"
        try "0123456789abcdef0123456789abcdef".write(toFile: secret, atomically: true, encoding: .utf8)
        let server = try script("authserver.py", [secret])
        defer { server.signal(SIGKILL) }
        func word(after name: String) async throws -> String {
            String(try await server.line(containing: name + " ").dropFirst(name.count + 1))
        }
        let port = try await word(after: "port")
        let valid = try await word(after: "valid")
        let expired = try await word(after: "expired")
        let config = folder.path + "/dunlin.yaml"
        try """
        access:
          jwt-secret-file: "\(secret)"
          http-url: http://127.0.0.1:\(port)/
        """.write(toFile: config, atomically: true, encoding: .utf8)
        try await BrokerProcess.with(["--config", config]) { broker in
            func code(_ user: String, _ password: String, _ topic: String) async throws -> Int32 {
                let options = [
                    "-p", "\(broker.port)", "-V", "5", "-q", "1", "-m", "x", "-u", user, "-P", password, "-t", topic,
                ]
                return try await ChildProcess(try Tool.path("mosquitto_pub"), options).wait()
            }
            var codes: [Int32] = []
            for (user, password) in [
                ("anything", valid), ("anything", expired), ("alice", "secret"), ("alice", "wrong"),
            ] {
                codes.append(try await code(user, password, "home/x"))
            }
            #expect(codes == [0, 0x86, 0, 0x86])
            let clients = MosquittoClients(broker: broker, version: "5")
            let subscriber = try await clients.subscriber([
                "-u", "alice", "-P", "secret", "-t", "home/#", "-C", "1", "-v",
            ])
            try await clients.publish(["-u", "x", "-P", valid, "-t", "home/y", "-m", "hello", "-q", "1"])
            #expect(try await subscriber.messages() == ["home/y hello"])
        }
    }

    /// Its time is over: the client is told so.
    @Test func aClientWhoseTokenExpiresIsDisconnected() async throws {
        let folder = try DataFolder()
        let secret = folder.path + "/secret"
        try "0123456789abcdef0123456789abcdef".write(toFile: secret, atomically: true, encoding: .utf8)
        let config = folder.path + "/dunlin.yaml"
        try "access:\n  jwt-secret-file: \"\(secret)\"\n".write(toFile: config, atomically: true, encoding: .utf8)
        try await BrokerProcess.with(["--config", config]) { broker in
            let server = try script("authserver.py", [secret])
            defer { server.signal(SIGKILL) }
            let short = try await server.line(containing: "short ").dropFirst("short ".count)
            let clients = MosquittoClients(broker: broker, version: "5")
            let subscriber = try clients.startSubscriber(["-u", "x", "-P", String(short), "-t", "home/#", "-i", "s"])
            try await subscriber.line(containing: "Subscribed (mid: 1)")
            try await subscriber.line(containing: "Received DISCONNECT (160)")
            _ = try await subscriber.wait()
        }
    }
}
