import BrokerTransport
import BrokerConfiguration
import AdminAPI
import Foundation
import Testing

@Suite struct AccessTests {
    private static let paths = ["/v1/nodes", "/v1/clients", "/v1/bans"]

    @Test func overTCPWithoutATokenThereIsHealthAndMetricsOnly() async throws {
        try await AdministeredBroker.with { broker in
            try await broker.overTCP().expect(200, .get, "/metrics")
            for path in Self.paths { try await broker.overTCP().expect(403, .get, path) }
            try await broker.overTCP().expect(403, .post, "/v1/drain", body: Data("{}".utf8))
            #expect(!broker.server.isDraining)
        }
    }

    @Test func theTokenOpensWhatOthersMayNot() async throws {
        try await AdministeredBroker.with(token: "0123456789abcdef") { broker in
            let right = try AdminToken.made("0123456789abcdef")
            let wrong = try AdminToken.made("0123456789abcdeX")
            let longer = try AdminToken.made("0123456789abcdef0")
            for path in Self.paths + ["/metrics"] {
                try await broker.overTCP(token: right).expect(200, .get, path)
                try await broker.overTCP(token: wrong).expect(401, .get, path)
                try await broker.overTCP(token: longer).expect(401, .get, path)
                try await broker.overTCP().expect(401, .get, path)
                try await broker.admin.expect(200, .get, path)
            }
            try await broker.overTCP().expect(200, .get, "/ready")
        }
    }

    @Test func theUnixSocketIsThisUsersAlone() async throws {
        try await AdministeredBroker.with { broker in
            let attributes = try FileManager.default.attributesOfItem(atPath: broker.socket)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test(arguments: ["short", "with a space in it 1", "", "0123456789abcdef\nsecond line"])
    func aFileThatIsNoTokenIsRefused(text: String) {
        #expect(throws: AdminFailure.self) { try AdminToken.made(text) }
    }

    @Test func aSecondBrokerDoesNotTakeTheSocket() async throws {
        try await AdministeredBroker.with { broker in
            await #expect(throws: AdminFailure.self) {
                try await AdministeredBroker.with(
                    settings: .changed { $0.admin.listeners = [.unix(path: broker.socket)] }
                ) {
                    _ in
                }
            }
            try await broker.admin.expect(200, .get, "/live")
        }
    }
}

extension AdminToken {
    static func made(_ text: String) throws -> AdminToken {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "dunlin-token-\(UInt64.random(in: 0 ... .max))")
        try Data((text + "\n").utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try AdminToken(contentsOfFile: file.path)
    }
}
