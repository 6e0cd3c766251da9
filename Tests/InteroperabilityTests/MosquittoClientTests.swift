import Foundation
import ProcessKit
import Testing

/// What users of mosquitto_pub and mosquitto_sub do first, in every version they speak.
@Suite("mosquitto_pub and mosquitto_sub", .serialized)
struct MosquittoClientTests {
    static let versions = ["mqttv31", "mqttv311", "5"]

    private func with(
        _ version: String, _ options: [String] = [], _ body: (MosquittoClients) async throws -> Void
    ) async throws {
        try await BrokerProcess.with(options) { broker in
            try await body(MosquittoClients(broker: broker, version: version))
        }
    }

    @Test(arguments: versions, [0, 1, 2])
    func aMessageArrivesWithEveryQoS(version: String, qos: Int) async throws {
        try await with(version) { clients in
            let subscriber = try await clients.subscriber(["-t", "a/+", "-q", "\(qos)", "-C", "1", "-F", "%t %q %r %p"])
            try await clients.publish(["-t", "a/b", "-q", "\(qos)", "-m", "hello"])
            #expect(try await subscriber.messages() == ["a/b \(qos) 0 hello"])
        }
    }

    @Test(arguments: versions)
    func linesArriveInOrder(version: String) async throws {
        let lines = (0..<500).map { "line \($0)" }
        try await with(version) { clients in
            let subscriber = try await clients.subscriber(["-t", "lines", "-q", "2", "-C", "500"])
            try await clients.publish(
                ["-t", "lines", "-q", "2", "-l"], input: lines.joined(separator: "\n") + "\n")
            #expect(try await subscriber.messages() == lines)
        }
    }

    @Test(arguments: versions)
    func aRetainedMessageWaitsForSubscribersUntilItIsDeleted(version: String) async throws {
        try await with(version) { clients in
            try await clients.publish(["-t", "state/a", "-q", "1", "-r", "-m", "kept"])
            let first = try await clients.subscriber(["-t", "state/a", "-C", "1", "-F", "%r %p"])
            #expect(try await first.messages() == ["1 kept"])
            try await clients.publish(["-t", "state/a", "-q", "1", "-r", "-n"])
            try await clients.publish(["-t", "state/b", "-q", "1", "-r", "-m", "other"])
            let second = try await clients.subscriber(["-t", "state/#", "-C", "1", "-F", "%t %p"])
            #expect(try await second.messages() == ["state/b other"])
        }
    }

    @Test(arguments: versions)
    func aKilledClientLeavesItsWill(version: String) async throws {
        try await with(version) { clients in
            let watcher = try await clients.subscriber(["-t", "wills", "-C", "1", "-F", "%p"])
            let doomed = try await clients.subscriber([
                "-t", "x", "--will-topic", "wills", "--will-payload", "gone", "--will-qos", "1",
            ])
            doomed.signal(SIGKILL)
            #expect(try await watcher.messages() == ["gone"])
        }
    }

    @Test(arguments: ["mqttv311", "5"])
    func membersOfAGroupShareTheMessages(version: String) async throws {
        try await with(version) { clients in
            let options = ["-t", "$share/group/work", "-q", "1", "-F", "%p"]
            let one = try await clients.subscriber(options + ["-C", "5"])
            let other = try await clients.subscriber(options + ["-C", "5"])
            let lines = (0..<10).map { "\($0)" }
            try await clients.publish(["-t", "work", "-q", "1", "-l"], input: lines.joined(separator: "\n") + "\n")
            // In turn, by default: five each.
            let received = try await one.messages() + other.messages()
            #expect(received.sorted() == lines)
        }
    }

    @Test(arguments: versions)
    func messagesWaitForASessionThatIsAway(version: String) async throws {
        try await with(version) { clients in
            let session = ["-i", "keeper", "-c", "-q", "1", "-t", "mail/#"] + (version == "5" ? ["-x", "600"] : [])
            _ = try await clients.subscriber(session + ["-E"]).messages()
            for number in 0..<3 { try await clients.publish(["-t", "mail/\(number)", "-q", "1", "-m", "\(number)"]) }
            // The messages come before the answer to SUBSCRIBE: it may never hear that it is subscribed.
            let back = try clients.startSubscriber(session + ["-C", "3"])
            #expect(try await back.messages() == ["0", "1", "2"])
        }
    }

    /// [MQTT-3.1.4-3]
    @Test func theSameClientIdentifierTakesOver() async throws {
        try await with("5") { clients in
            let first = try await clients.subscriber(["-i", "twin", "-t", "x"])
            let second = try await clients.subscriber(["-i", "twin", "-t", "x", "-C", "1"])
            try await first.line(containing: "DISCONNECT (142)")
            // It would come back and take over in turn.
            first.signal(SIGKILL)
            try await clients.publish(["-t", "x", "-m", "for the second"])
            #expect(try await second.messages() == ["for the second"])
        }
    }

    @Test func propertiesArePassedOn() async throws {
        try await with("5") { clients in
            let subscriber = try await clients.subscriber([
                "-t", "props", "-C", "1", "-D", "subscribe", "subscription-identifier", "7",
                "-F", "%S|%C|%R|%D|%F|%P|%p",
            ])
            try await clients.publish([
                "-t", "props", "-m", "{}", "-q", "1", "-D", "publish", "content-type", "application/json",
                "-D", "publish", "response-topic", "answers", "-D", "publish", "correlation-data", "id",
                "-D", "publish", "payload-format-indicator", "1", "-D", "publish", "user-property", "key", "value",
            ])
            #expect(try await subscriber.messages() == ["7|application/json|answers|id|1|key:value|{}"])
        }
    }

    @Test func aDelayedWillComesAfterItsDelay() async throws {
        try await with("5") { clients in
            let watcher = try await clients.subscriber(["-t", "wills", "-C", "1", "-F", "%p"])
            let doomed = try await clients.subscriber([
                "-i", "doomed", "-x", "600", "-t", "x", "--will-topic", "wills", "--will-payload", "gone",
                "-D", "will", "will-delay-interval", "1",
            ])
            let killed = Date()
            doomed.signal(SIGKILL)
            #expect(try await watcher.messages() == ["gone"])
            #expect(Date().timeIntervalSince(killed) > 0.7)
        }
    }

    @Test(arguments: versions)
    func aLargePayloadArrivesWhole(version: String) async throws {
        let text = String(repeating: "0123456789abcdef", count: 16_384)
        try await with(version) { clients in
            let subscriber = try await clients.subscriber(["-t", "large", "-q", "1", "-C", "1", "-F", "%l %p"])
            try await clients.publish(["-t", "large", "-q", "1", "-s"], input: text)
            let messages = try await subscriber.messages()
            #expect(messages == ["\(text.utf8.count) \(text)"])
        }
    }

    @Test(.enabled(if: !BrokerProcess.isPeer))
    func theBrokerTellsItsVersion() async throws {
        try await with("mqttv311") { clients in
            let subscriber = try await clients.subscriber(["-t", "$SYS/broker/version", "-C", "1", "-F", "%p"])
            let version = try #require(try await subscriber.messages().first)
            #expect(version.hasPrefix("Dunlin "))
        }
    }
}
