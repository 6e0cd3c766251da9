package import MQTTModel

/// A message with QoS 0 that has come beside the log, as a node's shards are told it.
package struct Broadcast: Sendable {
    package let message: ApplicationMessage
    /// Whether ordinary subscribers get it. Those of the publisher's node have it already.
    package let toSubscribers: Bool
    /// Members of shared subscriptions, on whatever node.
    package let choices: [GroupChoice]

    package init(_ message: ApplicationMessage, toSubscribers: Bool, choices: [GroupChoice]) {
        self.message = message
        self.toSubscribers = toSubscribers
        self.choices = choices
    }
}
