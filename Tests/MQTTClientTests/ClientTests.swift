import MQTTClient
import Testing

/// The client and a broker, over the loopback.
@Suite struct ClientTests {
    @Test(arguments: [ProtocolVersion.v3_1, .v3_1_1, .v5_0], [QoS.atMostOnce, .atLeastOnce, .exactlyOnce])
    func messageArrives(version: ProtocolVersion, qos: QoS) async throws {
        try await withBroker { port in
            var configuration = MQTTClient.Configuration(host: "127.0.0.1", port: port)
            configuration.version = version
            try await withMQTTClient(configuration: configuration) { client in
                let granted = try await client.subscribe(to: "a/+", qos: qos)
                #expect(granted.reasonCodes == [.granted(qos)])
                let result = try await client.publish(topic: "a/b", text: "hello", qos: qos)
                #expect(result.reasonCode == .success)
                var messages = client.messages.makeAsyncIterator()
                let message = try await messages.next()
                #expect(message?.topic == "a/b")
                #expect(message?.text == "hello")
                #expect(message?.qos == qos)
            }
        }
    }

    @Test func propertiesTravel() async throws {
        try await withBroker { port in
            try await withMQTTClient(configuration: .init(host: "127.0.0.1", port: port)) { client in
                try await client.subscribe(
                    to: [MQTTClient.Subscription("t")], properties: [.subscriptionIdentifier(7)])
                let properties: Properties = [
                    .contentType("text/plain"), .userProperty(name: "k", value: "v"), .responseTopic("r"),
                    .correlationData([1, 2]),
                ]
                try await client.publish(topic: "t", text: "", qos: .atLeastOnce, properties: properties)
                var messages = client.messages.makeAsyncIterator()
                let message = try await messages.next()
                #expect(message?.properties.contentType == "text/plain")
                #expect(message?.properties.responseTopic == "r")
                #expect(message?.properties.correlationData == [1, 2])
                #expect(message?.properties.userProperties.map(\.value) == ["v"])
                #expect(message?.subscriptionIdentifiers == [7])
            }
        }
    }

    @Test func serverChoosesTheClientIdentifier() async throws {
        try await withBroker { port in
            let client = MQTTClient(configuration: .init(host: "127.0.0.1", port: port))
            let info = try await client.connect()
            #expect(!info.clientIdentifier.isEmpty)
            #expect(!info.isSessionPresent)
            await client.disconnect()
        }
    }

    @Test func unsubscribedTopicsStayAway() async throws {
        try await withBroker { port in
            try await withMQTTClient(configuration: .init(host: "127.0.0.1", port: port)) { client in
                try await client.subscribe(to: "a", "b")
                #expect(try await client.unsubscribe(from: ["a"]).isSuccess)
                try await client.publish(topic: "a", text: "1", qos: .atLeastOnce)
                try await client.publish(topic: "b", text: "2", qos: .atLeastOnce)
                var messages = client.messages.makeAsyncIterator()
                #expect(try await messages.next()?.topic == "b")
            }
        }
    }

    @Test func publicationsOfManyTasksAreAllAcknowledged() async throws {
        try await withBroker { port in
            var configuration = MQTTClient.Configuration(host: "127.0.0.1", port: port)
            configuration.maximumInflightMessages = 4
            configuration.maximumQueuedMessages = 8
            try await withMQTTClient(configuration: configuration) { client in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<200 {
                        group.addTask { try await client.publish(topic: "t", text: "\(number)", qos: .exactlyOnce) }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test func messagesEndWithDisconnect() async throws {
        try await withBroker { port in
            let client = MQTTClient(configuration: .init(host: "127.0.0.1", port: port))
            try await client.connect()
            async let count = client.messages.reduce(0) { count, _ in count + 1 }
            await client.disconnect()
            #expect(try await count == 0)
            await #expect(throws: MQTTClientError.self) { try await client.publish(topic: "t", text: "") }
        }
    }

    @Test func clientMayConnectAgainAfterDisconnect() async throws {
        try await withBroker { port in
            let client = MQTTClient(configuration: .init(host: "127.0.0.1", port: port))
            try await client.connect()
            await #expect(throws: MQTTClientError.self) { try await client.connect() }
            await client.disconnect()
            try await client.connect()
            try await client.publish(topic: "t", text: "", qos: .atLeastOnce)
            await client.disconnect()
        }
    }

    @Test func takeoverClosesTheFirstClientForGood() async throws {
        try await withBroker { port in
            var configuration = MQTTClient.Configuration(host: "127.0.0.1", port: port)
            configuration.clientIdentifier = "twice"
            let first = MQTTClient(configuration: configuration)
            let events = first.events
            try await first.connect()
            try await withMQTTClient(configuration: configuration) { _ in
                let closed = await events.first { if case .closed = $0 { true } else { false } }
                guard case .closed(let error)? = closed else { return }
                #expect(error?.reasonCode == .sessionTakenOver)
            }
        }
    }

    @Test func runConnectsUntilItIsCancelled() async throws {
        try await withBroker { port in
            let client = MQTTClient(configuration: .init(host: "127.0.0.1", port: port))
            let events = client.events
            let running = Task { try await client.run() }
            _ = await events.first { if case .connected = $0 { true } else { false } }
            running.cancel()
            try await running.value
            await #expect(throws: MQTTClientError.self) { try await client.subscribe(to: "t") }
        }
    }
}
