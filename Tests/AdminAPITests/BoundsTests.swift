import BrokerTransport
import BrokerConfiguration
import AdminAPI
import Foundation
import NIOCore
import NIOPosix
import Testing

/// What a request may cost.
@Suite struct BoundsTests {
    @Test func aBodyAboveTheBoundIsRefused() async throws {
        try await AdministeredBroker.with(settings: .changed { $0.admin.maximumRequestSize = 1024 }) { broker in
            let small = Data(#"{"level":"debug"}"#.utf8)
            try await broker.admin.expect(200, .put, "/v1/log-level", body: small)
            let large = small + Data(repeating: 0x20, count: 1024)
            try await broker.admin.expect(413, .put, "/v1/log-level", body: large)
        }
    }

    @Test func aBodyThatDoesNotComeIsNotWaitedForLong() async throws {
        try await AdministeredBroker.with(settings: .changed { $0.admin.requestTimeout = .milliseconds(100) }) {
            broker in
            let answer = try await exchange(
                with: broker, "PUT /v1/log-level HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
            #expect(answer.hasPrefix("HTTP/1.1 503"))
        }
    }

    @Test func aHeaderThatDoesNotComeIsNotWaitedForLong() async throws {
        try await AdministeredBroker.with(settings: .changed { $0.admin.idleTimeout = .seconds(1) }) { broker in
            let answer = try await exchange(with: broker, "GET /live HTTP/1.1\r\nHo")
            #expect(answer == "")
        }
    }

    @Test func aHeaderAboveTheBoundIsRefused() async throws {
        try await AdministeredBroker.with(settings: .changed { $0.admin.maximumRequestSize = 1024 }) { broker in
            let field = String(repeating: "x", count: 70_000)
            let answer = try await exchange(with: broker, "GET /live HTTP/1.1\r\nHost: a\r\nX: \(field)\r\n\r\n")
            #expect(!answer.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test(arguments: ["limit=0", "limit=1001", "limit=x", "after=x", "after=1", "after=-1.0"])
    func aQueryThatIsNoneIsRefused(query: String) async throws {
        try await AdministeredBroker.with { broker in
            try await broker.admin.expect(400, .get, "/v1/clients?\(query)")
        }
    }

    @Test func whatIsNoJSONIsRefused() async throws {
        try await AdministeredBroker.with { broker in
            try await broker.admin.expect(400, .post, "/v1/bans", body: Data("{".utf8))
            try await broker.admin.expect(400, .post, "/v1/bans")
        }
    }

    /// Sends bytes over the Unix socket and returns what comes until the connection is closed.
    private func exchange(with broker: AdministeredBroker, _ text: String) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(unixDomainSocketPath: broker.socket) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var answer = ""
            for try await part in inbound {
                answer += String(buffer: part)
                if answer.contains("\r\n\r\n") { break }
            }
            return answer
        }
    }
}
