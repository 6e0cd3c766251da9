import Testing

@testable import MQTTClient
import MQTTSession

@Suite struct BackpressureTests {
    @Test func laggingConsumerStopsReading() async throws {
        try await withBroker { port in
            var configuration = MQTTClient.Configuration(host: "127.0.0.1", port: port)
            configuration.messageBufferCapacity = 8
            try await withMQTTClient(configuration: configuration) { reader in
                try await reader.subscribe(to: "t", qos: .atMostOnce)
                try await withMQTTClient(configuration: .init(host: "127.0.0.1", port: port)) { writer in
                    for number in 0..<100 { try await writer.publish(topic: "t", text: "\(number)") }
                    // QoS 1 behind them on another topic: once it is acknowledged the broker has had them all.
                    try await writer.publish(topic: "u", text: "", qos: .atLeastOnce)
                }
                await reader.engine.untilReadingPaused()
                #expect(await reader.engine.buffer.count == 8)
                var numbers: [String] = []
                for try await message in reader.messages {
                    numbers.append(message.text)
                    #expect(await reader.engine.buffer.count <= 8)
                    if numbers.count == 100 { break }
                }
                #expect(numbers == (0..<100).map { "\($0)" })
                #expect(await !reader.engine.isReadingPaused)
            }
        }
    }

    @Test func messageIsAcknowledgedWhenItIsTaken() async throws {
        try await withBroker { port in
            var configuration = MQTTClient.Configuration(host: "127.0.0.1", port: port)
            configuration.receiveMaximum = 2
            try await withMQTTClient(configuration: configuration) { client in
                try await client.subscribe(to: "t", qos: .atLeastOnce)
                for number in 0..<5 { try await client.publish(topic: "t", text: "\(number)", qos: .atLeastOnce) }
                #expect(await client.engine.buffer.count <= 2)
                var numbers: [String] = []
                for try await message in client.messages {
                    numbers.append(message.text)
                    #expect(await client.engine.unacknowledgedCount <= 2)
                    if numbers.count == 5 { break }
                }
                #expect(numbers == ["0", "1", "2", "3", "4"])
            }
        }
    }

    @Test func waitingForTheServerInTheMessageLoopDoesNotWaitForEver() async throws {
        try await withBroker { port in
            var configuration = MQTTClient.Configuration(host: "127.0.0.1", port: port)
            configuration.messageBufferCapacity = 4
            configuration.stallTimeout = .milliseconds(10)
            try await withMQTTClient(configuration: configuration) { reader in
                let events = reader.events
                try await reader.subscribe(to: "t", qos: .atMostOnce)
                try await withMQTTClient(configuration: .init(host: "127.0.0.1", port: port)) { writer in
                    for number in 0..<100 { try await writer.publish(topic: "t", text: "\(number)") }
                    try await writer.publish(topic: "u", text: "", qos: .atLeastOnce)
                }
                await reader.engine.untilReadingPaused()
                var messages = reader.messages.makeAsyncIterator()
                #expect(try await messages.next()?.text == "0")
                try await reader.publish(topic: "u", text: "", qos: .atLeastOnce)
                for number in 1...3 { #expect(try await messages.next()?.text == "\(number)") }
                let event = await events.first { if case .messagesDropped = $0 { true } else { false } }
                #expect(event == .messagesDropped(95))
            }
        }
    }
}

extension ClientEngine {
    var isReadingPaused: Bool { link?.isReadingPaused ?? false }
    var unacknowledgedCount: Int { session.unacknowledgedCount }

    /// Yields until the client has stopped reading.
    func untilReadingPaused() async {
        while !isReadingPaused { await Task.yield() }
    }
}
