import Testing

@testable import MQTTClient

/// The connection is cut between client and broker.
@Suite struct ReconnectTests {
    private func configuration(_ port: Int) -> MQTTClient.Configuration {
        var configuration = MQTTClient.Configuration(host: "127.0.0.1", port: port)
        configuration.reconnect.initialDelay = .milliseconds(5)
        return configuration
    }

    private func withProxy(_ body: (CuttingProxy) async throws -> Void) async throws {
        try await withBroker { port in
            let proxy = try await CuttingProxy(to: port)
            try await body(proxy)
            await proxy.stop()
        }
    }

    @Test func sessionIsResumedAndKeepsItsMessages() async throws {
        try await withProxy { proxy in
            try await withMQTTClient(configuration: configuration(proxy.port)) { client in
                let events = client.events
                try await client.subscribe(to: "t")
                try await client.publish(topic: "t", text: "before", qos: .atLeastOnce)
                proxy.cut()
                var isPresent: Bool?
                for await event in events {
                    guard case .connected(let info) = event else { continue }
                    isPresent = info.isSessionPresent
                    break
                }
                #expect(isPresent == true)
                try await client.publish(topic: "t", text: "after", qos: .atLeastOnce)
                var texts: [String] = []
                for try await message in client.messages {
                    texts.append(message.text)
                    if message.text == "after" { break }
                }
                #expect(texts.contains("before"))
            }
        }
    }

    @Test(arguments: [ProtocolVersion.v3_1_1, .v5_0])
    func lostSessionIsSubscribedAgain(version: ProtocolVersion) async throws {
        try await withProxy { proxy in
            var configuration = configuration(proxy.port)
            configuration.version = version
            configuration.sessionExpiryInterval = .zero
            try await withMQTTClient(configuration: configuration) { client in
                let events = client.events
                try await client.subscribe(to: "a", "b", qos: .atLeastOnce)
                proxy.cut()
                for await event in events {
                    guard case .resubscribed(let subscriptions, let result) = event else { continue }
                    #expect(subscriptions.map(\.filter) == ["a", "b"])
                    #expect(result.reasonCodes == [.grantedQoS1, .grantedQoS1])
                    break
                }
                try await client.publish(topic: "b", text: "x", qos: .atLeastOnce)
                var messages = client.messages.makeAsyncIterator()
                #expect(try await messages.next()?.text == "x")
            }
        }
    }

    @Test func callsWaitForTheNextConnection() async throws {
        try await withProxy { proxy in
            try await withMQTTClient(configuration: configuration(proxy.port)) { client in
                let events = client.events
                proxy.cut()
                _ = await events.first { if case .reconnecting = $0 { true } else { false } }
                #expect(try await client.subscribe(to: "t").isSuccess)
                for number in 0..<50 {
                    if number % 10 == 0 { proxy.cut() }
                    try await client.publish(topic: "t", text: "\(number)", qos: .exactlyOnce)
                }
                var numbers: [Int] = []
                for try await message in client.messages {
                    numbers.append(Int(message.text) ?? -1)
                    if numbers.count == 50 { break }
                }
                #expect(numbers == Array(0..<50))
            }
        }
    }

    @Test func withoutReconnectTheClientCloses() async throws {
        try await withProxy { proxy in
            var configuration = configuration(proxy.port)
            configuration.reconnect = .never
            let client = MQTTClient(configuration: configuration)
            try await client.connect()
            proxy.cut()
            await #expect {
                for try await _ in client.messages {}
            } throws: { ($0 as? MQTTClientError)?.code == .connectionLost }
        }
    }

    @Test func willIsPublishedWhenTheConnectionIsLost() async throws {
        try await withBroker { port in
            let proxy = try await CuttingProxy(to: port)
            try await withMQTTClient(configuration: .init(host: "127.0.0.1", port: port)) { watcher in
                try await watcher.subscribe(to: "will")
                var configuration = configuration(proxy.port)
                configuration.will = MQTTClient.Will(topic: "will", text: "gone", qos: .atLeastOnce)
                configuration.reconnect = .never
                let client = MQTTClient(configuration: configuration)
                try await client.connect()
                proxy.cut()
                var messages = watcher.messages.makeAsyncIterator()
                #expect(try await messages.next()?.text == "gone")
            }
            await proxy.stop()
        }
    }
}

@Suite struct ReconnectPolicyTests {
    private struct Counting: RandomNumberGenerator {
        var value: UInt64 = 0
        mutating func next() -> UInt64 {
            value &+= 0x9E37_79B9_7F4A_7C15
            return value
        }
    }

    @Test func delaysDoubleUpToTheMaximum() {
        var policy = MQTTClient.ReconnectPolicy()
        policy.initialDelay = .seconds(1)
        policy.maximumDelay = .seconds(5)
        policy.jitter = 0
        var random = Counting()
        let delays = (1...5).map { policy.delay(beforeAttempt: $0, using: &random) }
        #expect(delays == [.seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5)])
    }

    @Test func jitterLeavesOutAPart() {
        var policy = MQTTClient.ReconnectPolicy()
        policy.initialDelay = .seconds(1)
        policy.jitter = 0.5
        var random = Counting()
        for _ in 0..<100 {
            let delay = policy.delay(beforeAttempt: 1, using: &random) ?? .zero
            #expect(delay >= .milliseconds(499) && delay <= .seconds(1))
        }
    }

    @Test func attemptsAreBounded() {
        var policy = MQTTClient.ReconnectPolicy()
        policy.maximumAttempts = 2
        var random = Counting()
        #expect(policy.delay(beforeAttempt: 2, using: &random) != nil)
        #expect(policy.delay(beforeAttempt: 3, using: &random) == nil)
        #expect(MQTTClient.ReconnectPolicy.never.delay(beforeAttempt: 1, using: &random) == nil)
    }
}
