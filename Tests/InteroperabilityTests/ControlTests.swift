import Foundation
import ProcessKit
import Testing

/// `dunlin ctl` and the administration as an operator meets them: processes, tables, exit codes.
@Suite("dunlin ctl", .serialized, .disabled(if: BrokerProcess.isPeer))
struct ControlTests {
    private func control(_ arguments: String...) async throws -> (status: Int32, text: String) {
        let process = try ChildProcess(try Tool.dunlin(), ["ctl"] + arguments)
        let status = try await process.wait()
        return (status, process.output.text)
    }

    /// Runs the body with a broker that has a data directory, and so a Unix socket.
    private func withBroker(_ body: (BrokerProcess, _ data: String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "dunlin-ctl-\(UInt64.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(at: directory) }
        try await BrokerProcess.with(["--data", directory.path]) { broker in
            try await broker.process.line(containing: "administration")
            try await body(broker, directory.path)
        }
    }

    @Test func theDataDirectoryIsAllThatItNeeds() async throws {
        try await withBroker { broker, data in
            let nodes = try await control("nodes", "--data", data)
            #expect(nodes.status == 0)
            let lines = nodes.text.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix("NODE") == true)
            #expect(lines.last?.contains("127.0.0.1:\(broker.port)") == true)
        }
    }

    @Test func aClientIsListedAndKicked() async throws {
        try await withBroker { broker, data in
            let clients = MosquittoClients(broker: broker, version: "5")
            let subscriber = try await clients.subscriber(["-i", "kitchen 1", "-t", "home/#", "-q", "1"])
            let list = try await control("clients", "--data", data)
            #expect(list.text.contains("\"kitchen 1\""))
            let json = try await control("subscriptions", "--data", data, "--json")
            #expect(json.text.contains(#""filter" : "home/#""#))
            #expect(try await control("kick", "kitchen 1", "--data", data).status == 0)
            // 0x98, Administrative action.
            try await subscriber.line(containing: "DISCONNECT (152)")
            subscriber.signal(SIGKILL)
            let nobody = try await control("kick", "nobody", "--data", data)
            #expect(nobody.status == 1)
            #expect(nobody.text.contains("no client with this identifier is connected"))
        }
    }

    /// 5.0 sections 3.2.2.2 and 3.14.2.1: 0x8A (Banned) is for CONNACK, 0x98 (Administrative action) for DISCONNECT.
    @Test func aBanOutlivesTheBrokerUntilItIsLifted() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "dunlin-ctl-\(UInt64.random(in: 0 ... .max))")
        let data = directory.path
        defer { try? FileManager.default.removeItem(at: directory) }
        try await BrokerProcess.with(["--data", data]) { broker in
            try await broker.process.line(containing: "administration")
            let clients = MosquittoClients(broker: broker, version: "5")
            let subscriber = try await clients.subscriber(["-i", "kitchen", "-t", "a"])
            let ban = try await control(
                "ban", "--client", "kitchen", "--for", "1h", "--reason", "too loud", "--data", data)
            #expect(ban.text == "banned, 1 disconnected")
            try await subscriber.line(containing: "DISCONNECT (152)")
            subscriber.signal(SIGKILL)
            #expect(try await control("ban", "--user", "mallory", "--data", data).text == "banned, 0 disconnected")
        }
        try await BrokerProcess.with(["--data", data]) { broker in
            try await broker.process.line(containing: "administration")
            let clients = MosquittoClients(broker: broker, version: "5")
            let message = ["-t", "a", "-m", "x", "-q", "1"]
            #expect(try await clients.answerToPublishing(["-i", "kitchen"] + message).contains("CONNACK (138)"))
            #expect(try await clients.answerToPublishing(["-u", "mallory"] + message).contains("CONNACK (138)"))
            // 3.1.1 section 3.2.2.3: 5, not authorized.
            let old = MosquittoClients(broker: broker, version: "mqttv311")
            #expect(try await old.answerToPublishing(["-i", "kitchen"] + message).contains("CONNACK (5)"))
            try await clients.publish(["-i", "pantry"] + message)
            let list = try await control("bans", "--data", data)
            #expect(list.text.contains("kitchen") && list.text.contains("too loud") && list.text.contains("for good"))
            #expect(try await control("unban", "--client", "kitchen", "--data", data).text == "lifted")
            try await clients.publish(["-i", "kitchen"] + message)
            let again = try await control("unban", "--client", "kitchen", "--data", data)
            #expect(again.status == 1)
            #expect(again.text.contains("there is no ban on this client"))
            try await old.publish(["-i", "kitchen"] + message)
        }
    }

    @Test func aBanOfAnAddressSaysThatNothingKeepsIt() async throws {
        let folder = try DataFolder()
        defer { withExtendedLifetime(folder) {} }
        let socket = "unix:" + folder.path + "/a.sock"
        try await BrokerProcess.with(["--admin", socket]) { broker in
            try await broker.process.line(containing: "administration")
            let clients = MosquittoClients(broker: broker, version: "5")
            let message = ["-t", "a", "-m", "x", "-q", "1"]
            try await clients.publish(message)
            let wrong = try await control("ban", "--address", "localhost", "--admin", socket)
            #expect(wrong.status == 1)
            #expect(wrong.text.contains("\"localhost\" is no IPv4 or IPv6 address"))
            let ban = try await control("ban", "--address", "::ffff:127.0.0.1", "--for", "1h", "--admin", socket)
            #expect(ban.text == "banned, 0 disconnected; a restart lifts it, as there is no data directory")
            #expect(try await clients.answerToPublishing(message).contains("CONNACK (138)"))
            #expect(try await control("ban", "--address", "127.0.0.1", "--for", "soon", "--admin", socket).status == 64)
            #expect(try await control("unban", "--address", "127.0.0.1", "--admin", socket).status == 0)
            try await clients.publish(message)
        }
    }

    @Test func bansThatCannotBeReadKeepTheBrokerFromStarting() async throws {
        let folder = try DataFolder()
        try "{".write(toFile: folder.path + "/bans.json", atomically: true, encoding: .utf8)
        let process = try ChildProcess(
            try Tool.dunlin(), ["serve", "--listen", "127.0.0.1:0", "--data", folder.path])
        #expect(try await process.wait() == 1)
        #expect(process.output.text.contains("\(folder.path)/bans.json cannot be read"))
    }

    @Test func whatCannotBeReadAgainChangesNothing() async throws {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "dunlin-ctl-\(UInt64.random(in: 0 ... .max)).yaml")
        let data = file.path + ".d"
        defer {
            try? FileManager.default.removeItem(at: file)
            try? FileManager.default.removeItem(atPath: data)
        }
        try Data("log-level: info\n".utf8).write(to: file)
        try await BrokerProcess.with(["--config", file.path, "--data", data]) { broker in
            try await broker.process.line(containing: "administration")
            try Data("log-level: loud\n".utf8).write(to: file)
            let refused = try await control("reload", "--data", data)
            #expect(refused.status == 1)
            #expect(refused.text.contains("log-level: has to be one of"))
            #expect(try await control("log-level", "--data", data).text == "info")
            try Data("log-level: debug\n".utf8).write(to: file)
            #expect(try await control("reload", "--data", data).status == 0)
            #expect(try await control("log-level", "--data", data).text == "debug")
        }
    }

    @Test func withoutABrokerItSaysSo() async throws {
        let answer = try await control("nodes", "--admin", "unix:/nonexistent/admin.sock")
        #expect(answer.status == 1)
        #expect(answer.text.contains("no broker answers at unix:/nonexistent/admin.sock"))
        #expect(try await control("nodes", "--admin", "nowhere").status == 64)
        #expect(try await control("ban", "--admin", "127.0.0.1:1", "--client", "a", "--user", "b").status == 64)
    }
}
