import ArgumentParser
import Foundation
import MQTTClient

/// The work of `dunlin sub` on a connected client.
struct Subscriber: Sendable {
    let command: SubscribeCommand
    let format: MessageFormat
    let log: ClientLog
    let properties: ClientProperties

    private enum Step { case subscribed, printed }

    /// Subscribes beside taking messages: what the server sends before its answer must not hold the answer up.
    func run(_ client: MQTTClient) async throws {
        try await withThrowingTaskGroup(of: Step.self) { group in
            group.addTask {
                try await subscribe(client)
                return .subscribed
            }
            group.addTask {
                try await printMessages(client)
                return .printed
            }
            defer { group.cancelAll() }
            while let step = try await group.next() {
                if step == .printed || command.endsWhenSubscribed { return }
            }
        }
    }

    private func subscribe(_ client: MQTTClient) async throws {
        let subscriptions = command.topic.map { filter in
            MQTTClient.Subscription(
                filter,
                options: SubscriptionOptions(
                    maximumQoS: command.qos, noLocal: command.noLocal, retainAsPublished: command.retainAsPublished))
        }
        if !subscriptions.isEmpty {
            let result = try await client.subscribe(to: subscriptions, properties: properties[.subscribe])
            try tell(result, of: subscriptions)
        }
        if !command.unsubscribe.isEmpty {
            _ = try await client.unsubscribe(from: command.unsubscribe, properties: properties[.unsubscribe])
            log.debug("unsubscribed from \(command.unsubscribe.joined(separator: ", "))")
        }
    }

    private func tell(_ result: MQTTClient.SubscribeResult, of subscriptions: [MQTTClient.Subscription]) throws {
        for (subscription, reasonCode) in zip(subscriptions, result.reasonCodes) {
            if reasonCode.isError {
                log.warning("the server refused the subscription to \(subscription.filter): \(reasonCode)")
            } else {
                log.debug("subscribed to \(subscription.filter) with QoS \(reasonCode.rawValue)")
            }
        }
        if let first = result.reasonCodes.first, result.reasonCodes.allSatisfy(\.isError) {
            log.error("every subscription was refused")
            throw ExitCode(Int32(first.rawValue))
        }
    }

    private func printMessages(_ client: MQTTClient) async throws {
        let hidden = command.filterOut.compactMap { TopicFilter($0) }
        let remover = Publisher(client: client, topic: "", qos: .atLeastOnce, retain: true)
        var printedCount = 0
        for try await message in client.messages {
            if command.retainedOnly, !message.isRetained { break }
            if hidden.contains(where: { $0.matches(message.topic) }) { continue }
            if command.removesRetained, message.isRetained { try await remover.publish([], to: message.topic) }
            if command.skipsRetained, message.isRetained { continue }
            guard write(format.render(message, at: .now)) else { break }
            printedCount += 1
            if printedCount == command.count { break }
        }
        try await remover.finish()
    }

    /// - Returns: false when nobody reads standard output any more.
    private func write(_ bytes: [UInt8]) -> Bool {
        do {
            try FileHandle.standardOutput.write(contentsOf: bytes)
            return true
        } catch {
            return false
        }
    }
}
