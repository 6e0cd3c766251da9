import Foundation
import ProcessKit
import Testing

/// Who may connect and do what, with mosquitto's clients and mosquitto_passwd's file.
@Suite("Access", .serialized, .enabled(if: !BrokerProcess.isPeer))
struct AccessTests {
    private static let rules = """
        allow user alice readwrite #
        allow user roger read news/#
        allow everyone readwrite own/%u/#
        """

    private func with(
        _ options: [String] = [], _ body: (BrokerProcess, DataFolder) async throws -> Void
    ) async throws {
        let folder = try DataFolder()
        let passwords = folder.path + "/passwords"
        let rules = folder.path + "/rules"
        try Self.rules.write(toFile: rules, atomically: true, encoding: .utf8)
        // roger's line is mosquitto_passwd's, alice's and carol's our own.
        try await ChildProcess(try Tool.path("mosquitto_passwd"), ["-b", "-c", passwords, "roger", "rabbit"]).succeed()
        for (name, scheme) in [("alice", "pbkdf2"), ("carol", "scram")] {
            try await ChildProcess(
                try Tool.dunlin(), ["passwd", passwords, name, "--scheme", scheme], input: "secret of \(name)\n"
            ).succeed()
        }
        try await BrokerProcess.with(["--password-file", passwords, "--rules-file", rules] + options) { broker in
            try await body(broker, folder)
        }
    }

    private func publish(_ broker: BrokerProcess, _ version: String, _ options: [String]) async throws -> Int32 {
        try await ChildProcess(
            try Tool.path("mosquitto_pub"), ["-p", "\(broker.port)", "-V", version, "-m", "x"] + options
        ).wait()
    }

    /// mosquitto_pub ends with the return code of 3.x, or with the reason code of 5.0.
    @Test(arguments: [("mqttv311", Int32(4), Int32(5)), ("5", 0x86, 0x87)])
    func onlyWhoKnowsThePasswordIsLetIn(version: String, badPassword: Int32, notAuthorized: Int32) async throws {
        try await with { broker, _ in
            var codes: [Int32] = []
            for (name, password) in [("alice", "secret of alice"), ("roger", "rabbit"), ("carol", "secret of carol")] {
                let right = ["-u", name, "-P", password, "-t", "own/\(name)/t", "-q", "1"]
                codes.append(try await publish(broker, version, right))
                codes.append(try await publish(broker, version, ["-u", name, "-P", "wrong", "-t", "t"]))
            }
            #expect(codes == [0, badPassword, 0, badPassword, 0, badPassword])
            let unknown = try await publish(broker, version, ["-u", "nobody", "-P", "wrong", "-t", "t"])
            #expect(unknown == badPassword)
            let nameless = try await publish(broker, version, ["-t", "t"])
            #expect(nameless == notAuthorized)
        }
    }

    @Test(arguments: ["mqttv311", "5"])
    func aClientGetsWhatItMayRead(version: String) async throws {
        try await with { broker, _ in
            let clients = MosquittoClients(broker: broker, version: version)
            let subscriber = try await clients.subscriber([
                "-u", "roger", "-P", "rabbit", "-t", "news/#", "-t", "own/roger/+", "-C", "2", "-v",
            ])
            let alice = ["-u", "alice", "-P", "secret of alice", "-q", "1"]
            try await clients.publish(alice + ["-t", "other", "-m", "0"])
            try await clients.publish(alice + ["-t", "news/today", "-m", "1"])
            // Not allowed, so not delivered.
            _ = try await publish(broker, version, ["-u", "roger", "-P", "rabbit", "-t", "news/false", "-q", "1"])
            try await clients.publish(alice + ["-t", "own/roger/x", "-m", "2"])
            #expect(try await subscriber.messages() == ["news/today 1", "own/roger/x 2"])
        }
    }

    @Test func aSubscriptionThatReachesTooFarIsRefused() async throws {
        try await with { broker, _ in
            let clients = MosquittoClients(broker: broker, version: "5")
            for filter in ["#", "+/today", "$SYS/#", "$share/g/#", "own/alice/#"] {
                let subscriber = try clients.startSubscriber(["-u", "roger", "-P", "rabbit", "-t", filter])
                try await subscriber.line(containing: "All subscription requests were denied")
                _ = try await subscriber.wait()
            }
        }
    }

    /// A permission that is taken back ends the subscription; a file that is wrong changes nothing.
    @Test func rulesAreReadAgain() async throws {
        try await with { broker, folder in
            let clients = MosquittoClients(broker: broker, version: "5")
            let roger = ["-u", "roger", "-P", "rabbit", "-v"]
            let subscriber = try await clients.subscriber(roger + ["-t", "news/#", "-t", "own/roger/#", "-C", "3"])
            let alice = ["-u", "alice", "-P", "secret of alice", "-q", "1"]
            try await clients.publish(alice + ["-t", "news/1", "-m", "1"])
            func exchangeRules(_ text: String, awaiting line: String) async throws {
                try text.write(toFile: folder.path + "/rules", atomically: true, encoding: .utf8)
                broker.process.signal(SIGHUP)
                try await broker.process.line(containing: line)
            }
            try await exchangeRules("alow everyone read #", awaiting: "did you mean allow")
            try await clients.publish(alice + ["-t", "news/2", "-m", "2"])
            try await exchangeRules(
                "allow user alice readwrite #\nallow everyone readwrite own/%u/#", awaiting: "subscription revoked")
            try await clients.publish(alice + ["-t", "news/3", "-m", "3"])
            try await clients.publish(alice + ["-t", "own/roger/x", "-m", "4"])
            #expect(try await subscriber.messages() == ["news/1 1", "news/2 2", "own/roger/x 4"])
        }
    }

    /// Who is taken out of the password file, or has another password, is disconnected: 0x87, not authorized.
    @Test func aUserThatIsTakenOutIsDisconnected() async throws {
        try await with { broker, folder in
            let clients = MosquittoClients(broker: broker, version: "5")
            var subscribers: [String: ChildProcess] = [:]
            for (name, password) in [("alice", "secret of alice"), ("roger", "rabbit"), ("carol", "secret of carol")] {
                subscribers[name] = try await clients.subscriber(
                    ["-u", name, "-P", password, "-t", "own/\(name)/t", "-C", "1"])
            }
            let passwords = folder.path + "/passwords"
            try await ChildProcess(try Tool.dunlin(), ["passwd", passwords, "roger", "--delete"]).succeed()
            try await ChildProcess(try Tool.dunlin(), ["passwd", passwords, "carol"], input: "another\n").succeed()
            broker.process.signal(SIGHUP)
            for name in ["roger", "carol"] {
                try await subscribers[name]?.line(containing: "DISCONNECT (135)")
                subscribers[name]?.signal(SIGKILL)
            }
            try await broker.process.line(containing: "disconnected=2")
            try await broker.process.line(containing: "client is not let in any longer")
            // Not she: her line is as it was.
            try await clients.publish(
                ["-u", "alice", "-P", "secret of alice", "-t", "own/alice/t", "-m", "still here", "-q", "1"])
            #expect(try await subscribers["alice"]?.messages() == ["still here"])
        }
    }

    @Test func whatIsWrongWithAFileKeepsTheBrokerFromStarting() async throws {
        let folder = try DataFolder()
        let rules = folder.path + "/rules"
        try "allow everyone read a\nallow evryone read b\n".write(toFile: rules, atomically: true, encoding: .utf8)
        let process = try ChildProcess(try Tool.dunlin(), ["serve", "--listen", "127.0.0.1:0", "--rules-file", rules])
        #expect(try await process.wait() == 78)
        #expect(process.output.text.contains("\(rules):2:"))
        #expect(process.output.text.contains("did you mean everyone?"))
    }

    @Test func mosquittosRulesAreImported() async throws {
        let folder = try DataFolder()
        let path = folder.path + "/acl"
        try "user alice\ntopic read a/#\npattern write b/%c\n".write(toFile: path, atomically: true, encoding: .utf8)
        let lines = try await ChildProcess(try Tool.dunlin(), ["acl", "import", path]).succeed()
        #expect(lines.filter { !$0.hasPrefix("#") } == ["allow user alice read a/#", "allow everyone write b/%c"])
    }
}
