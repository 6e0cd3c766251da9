import Foundation
import ProcessKit
import Testing

/// `dunlin inspect` and `dunlin backup` as whoever looks after a broker uses them.
@Suite("Inspection and backup", .enabled(if: !BrokerProcess.isPeer))
struct InspectionTests {
    private func run(_ arguments: [String]) async throws -> (status: Int32, lines: [String]) {
        let process = try ChildProcess(try Tool.dunlin(), arguments)
        return (try await process.wait(), process.output.lines)
    }

    @Test func inspectListsWhatThereIsWhileABrokerWorks() async throws {
        let folder = try DataFolder()
        try await BrokerProcess.with(["--data", folder.path]) { broker in
            try await folder.fill(broker, messages: 20)
            let answer = try await run(["inspect", folder.path])
            #expect(answer.status == 0)
            #expect(answer.lines.first == "store: \(folder.file), schema 3")
            #expect(answer.lines.contains("sessions: 1, 0 connected, 20 messages queued"))
            let session = answer.lines.first { $0.hasSuffix("\"keeper\"") } ?? ""
            #expect(session.contains(#/^20 +0 +1 +disconnected +[0-9]+ /#), "\(session)")
            #expect(answer.lines.contains { $0.hasPrefix("4 ") && $0.hasSuffix("\"state/a\"") })
            #expect(answer.lines.last == "integrity: ok")
        }
    }

    @Test func afterAnOrderlyEndNothingThatWasAcknowledgedIsQueued() async throws {
        let folder = try await DataFolder.filled()
        try await BrokerProcess.with(["--data", folder.path]) { broker in
            // With -C it would end before it has acknowledged the last ones. It says that it does before it sends that: the
            // broker has it once it has answered the PINGREQ behind it.
            let clients = MosquittoClients(broker: broker, version: "5")
            let subscriber = try clients.startSubscriber(folder.keeper + ["-k", "5"])
            try await subscriber.line(containing: "sending PUBACK (m20, rc0)")
            try await subscriber.line(containing: "received PINGRESP")
            subscriber.signal(SIGKILL)
            _ = try await subscriber.wait()
        }
        let answer = try await run(["inspect", folder.path, "--summary"])
        #expect(answer.lines.contains("sessions: 1, 0 connected, 0 messages queued"), "\(answer.lines)")
    }

    @Test func aBackupOfARunningBrokerRestores() async throws {
        let folder = try DataFolder()
        let copy = try DataFolder()
        try await BrokerProcess.with(["--data", folder.path]) { broker in
            try await folder.fill(broker, messages: 50)
            let answer = try await run(["backup", folder.path, copy.file])
            #expect(answer.status == 0, "\(answer.lines)")
            #expect(copy.contents.keys.sorted() == ["dunlin.sqlite"])
            // What comes later is not in it.
            let clients = MosquittoClients(broker: broker, version: "5")
            try await clients.publish(["-t", "mail/x", "-q", "1", "-m", "51"])
            try await clients.publish(["-t", "state/a", "-q", "1", "-r", "-m", "later"])
        }
        try await BrokerProcess.with(["--data", copy.path]) { broker in
            let clients = MosquittoClients(broker: broker, version: "5")
            try await clients.publish(["-t", "mail/x", "-q", "1", "-m", "1000"])
            #expect(try await folder.collect(from: broker, count: 51) == Array(0..<50) + [1000])
            let retained = try await clients.subscriber(["-t", "state/#", "-C", "1"]).messages()
            #expect(retained == ["kept"])
        }
    }

    @Test func aBackupOverwritesNothing() async throws {
        let folder = try await DataFolder.filled()
        let other = try DataFolder()
        try other.write(Data("mine".utf8))
        let answer = try await run(["backup", folder.path, other.file])
        #expect(answer.status == 1)
        #expect(answer.lines.first?.contains("is there already") == true)
        #expect(try other.read() == Data("mine".utf8))
    }

    @Test(arguments: [["inspect"], ["backup", "FILE"]])
    func aDirectoryWithoutAStoreIsSaidToHaveNone(command: [String]) async throws {
        let folder = try DataFolder()
        let arguments = [command[0], folder.path] + command.dropFirst().map { _ in folder.path + "/backup" }
        let answer = try await run(arguments)
        #expect(answer.status == 1)
        #expect(answer.lines.first?.contains("there is no store in \(folder.path)") == true, "\(answer.lines)")
        #expect(folder.contents.isEmpty)
    }
}
