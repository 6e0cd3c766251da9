package import MQTTModel

/// A session as it was found after a restart.
package struct RestoredSession: Sendable {
    package struct Subscription: Sendable {
        package let filter: String
        package let options: SubscriptionOptions
        package let identifier: UInt32
        /// It wants what the log holds above this sequence.
        package let since: LogSequence

        package init(filter: String, options: SubscriptionOptions, identifier: UInt32, since: LogSequence) {
            self.filter = filter
            self.options = options
            self.identifier = identifier
            self.since = since
        }
    }

    /// A QoS 2 message that was sent and not finished, or finished before earlier ones.
    package struct Sent: Sendable {
        package enum Phase: UInt8, Sendable {
            case sending = 0
            case handedOver = 1
            case finished = 2
        }

        package let sequence: LogSequence
        package let packetIdentifier: PacketIdentifier
        package let phase: Phase

        package init(sequence: LogSequence, packetIdentifier: PacketIdentifier, phase: Phase) {
            self.sequence = sequence
            self.packetIdentifier = packetIdentifier
            self.phase = phase
        }
    }

    package let clientIdentifier: String
    /// Seconds; 0 for one that ended with its connection and is there for its will alone.
    package var expiryInterval: UInt32 = 0
    /// Seconds until it ends, counted while the broker was down; nil when it never does. For a session whose client was
    /// connected when the broker stopped, its whole expiry interval.
    package var expiresIn: UInt32?
    package var will: Will?
    /// Seconds until the will is due; nil: it stands for a connection that the broker's end has ended.
    package var willDueIn: UInt32?
    /// In the order of their making.
    package var subscriptions: [Subscription] = []
    package var received: [PacketIdentifier] = []
    /// In the order of sending.
    package var sent: [Sent] = []
    /// The client is done with everything up to here.
    package var cursor: LogSequence = 0

    package init(clientIdentifier: String) { self.clientIdentifier = clientIdentifier }
}
