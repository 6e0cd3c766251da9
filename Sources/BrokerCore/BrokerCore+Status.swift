import TopicIndex
import Backbone
import MQTTModel

extension BrokerCore {
    /// Makes the messages below `$SYS` (section 4.7.2). Each shard keeps its own copy.
    mutating func publishStatus(at now: Instant) {
        keepRetained(statusMessage("$SYS/broker/version", options.versionText))
        keepRetained(uptimeMessage(at: now))
    }

    /// The uptime again, to those who have subscribed to it.
    mutating func updateStatus(at now: Instant, into effects: inout Effects) {
        let message = uptimeMessage(at: now)
        keepRetained(message)
        let entry = LogEntry(sequence: 0, message: message, publisher: .none)
        deliver(entry, to: index.match(message.topic), at: now, into: &effects)
    }

    /// The driver has measured the node: what changed is kept, and sent to those who have subscribed to it.
    mutating func statusChanged(_ messages: [ApplicationMessage], at now: Instant, into effects: inout Effects) {
        for message in messages {
            keepRetained(message)
            let entry = LogEntry(sequence: 0, message: message, publisher: .none)
            deliver(entry, to: index.match(message.topic), at: now, into: &effects)
        }
    }

    private func uptimeMessage(at now: Instant) -> ApplicationMessage {
        statusMessage("$SYS/broker/uptime", "\(now.wholeSeconds(since: startedAt ?? now)) seconds")
    }

    private func statusMessage(_ topic: String, _ text: String) -> ApplicationMessage {
        ApplicationMessage(topic: topic, payload: text.utf8, qos: .atMostOnce, isRetained: true)
    }
}
