import Foundation
import ProcessKit
import Testing

/// What was acknowledged is there after the process was killed at once, as a client sees it (P1, P4).
@Suite("Killed and started again", .serialized, .enabled(if: !BrokerProcess.isPeer))
struct DurabilityTests {
    private func withDataDirectory(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dunlin-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.path)
    }

    private func kill(_ broker: BrokerProcess) async throws {
        broker.process.signal(SIGKILL)
        _ = try await broker.process.wait()
    }

    @Test(arguments: ["mqttv311", "5"], [1, 2])
    func messagesForAnAbsentSessionAreDeliveredInOrder(version: String, qos: Int) async throws {
        try await withDataDirectory { folder in
            let session =
                ["-i", "keeper", "-c", "-q", "\(qos)", "-t", "mail/#"] + (version == "5" ? ["-x", "600"] : [])
            let first = try await BrokerProcess.start(["--data", folder])
            let before = MosquittoClients(broker: first, version: version)
            _ = try await before.subscriber(session + ["-E"]).messages()
            let lines = (0..<50).map { "\($0)" }
            // Ends when the broker has acknowledged every line.
            try await before.publish(
                ["-t", "mail/x", "-q", "\(qos)", "-l"], input: lines.joined(separator: "\n") + "\n")
            try await kill(first)

            try await BrokerProcess.with(["--data", folder]) { broker in
                let after = MosquittoClients(broker: broker, version: version)
                let back = try after.startSubscriber(session + ["-C", "50"])
                #expect(try await back.messages() == lines)
            }
        }
    }

    @Test func retainedMessagesAreThere() async throws {
        try await withDataDirectory { folder in
            let first = try await BrokerProcess.start(["--data", folder])
            let before = MosquittoClients(broker: first, version: "5")
            try await before.publish(["-t", "state/a", "-q", "1", "-r", "-m", "old"])
            try await before.publish(["-t", "state/a", "-q", "1", "-r", "-m", "kept"])
            try await before.publish(["-t", "state/b", "-q", "1", "-r", "-m", "gone"])
            try await before.publish(["-t", "state/b", "-q", "1", "-r", "-n"])
            try await kill(first)

            try await BrokerProcess.with(["--data", folder]) { broker in
                let after = MosquittoClients(broker: broker, version: "5")
                try await after.publish(["-t", "state/z", "-q", "1", "-r", "-m", "last"])
                let subscriber = try await after.subscriber(["-t", "state/+", "-C", "2", "-F", "%t %p"])
                #expect(try await subscriber.messages().sorted() == ["state/a kept", "state/z last"])
            }
        }
    }
}
