package import MQTTModel

/// A session as it was found after a restart.
package struct RestoredSession: Sendable {
    package struct Subscription: Sendable {
        package let filter: String
        package let options: SubscriptionOptions
        package let identifier: UInt32
        /// It wants what the log holds above this sequence.
        package let since: LogSequence
        /// Up to this sequence, for one that has ended or has other options now; nil: it stands.
        package let until: LogSequence?

        package init(
            filter: String, options: SubscriptionOptions, identifier: UInt32, since: LogSequence,
            until: LogSequence? = nil
        ) {
            self.filter = filter
            self.options = options
            self.identifier = identifier
            self.since = since
            self.until = until
        }
    }

    /// A QoS 2 message that was sent and not finished, or finished before earlier ones.
    package struct Sent: Sendable {
        package enum Phase: UInt8, Sendable {
            case sending = 0
            case handedOver = 1
            case finished = 2
        }

        package let exchange: SentExchange
        package let packetIdentifier: PacketIdentifier
        package let phase: Phase
        /// For a copy of a retained message.
        package let topic: ExactText?

        package init(
            _ exchange: SentExchange, packetIdentifier: PacketIdentifier, phase: Phase, topic: ExactText? = nil
        ) {
            self.exchange = exchange
            self.packetIdentifier = packetIdentifier
            self.phase = phase
            self.topic = topic
        }

        /// Whether a session that has got to `cursor` still has to know of it. A message of a shared subscription is the
        /// group's until it is sent, and may be sent late: the cursor says nothing of it.
        package func isUnfinished(above cursor: LogSequence) -> Bool {
            exchange.group != nil || exchange.sequence > cursor
        }
    }

    /// Copies of retained messages that the client was promised and has not had all of.
    package struct Wish: Sendable {
        package let wish: RetainedWish
        /// Where the log was when it was made.
        package let since: LogSequence
        /// It is for the retained messages with a lower `RetainedPosition`: those that came later it has had otherwise.
        package let position: RetainedPosition

        package init(_ wish: RetainedWish, since: LogSequence, position: RetainedPosition) {
            self.wish = wish
            self.since = since
            self.position = position
        }
    }

    package let clientIdentifier: String
    /// Seconds; 0 for one that ended with its connection and is there for its will alone.
    package var expiryInterval: UInt32 = 0
    /// Seconds until it ends, counted while the broker was down; nil when it never does. If its client was
    /// connected when the broker stopped, counted from there; if the broker was killed, from the first start after that.
    package var expiresIn: UInt32?
    package var will: Will?
    /// Seconds until the will is due, counted likewise; nil: its whole delay.
    package var willDueIn: UInt32?
    /// In the order of their making, with the earlier options that something may still go by.
    package var subscriptions: [Subscription] = []
    package var received: [PacketIdentifier] = []
    /// In the order of sending.
    package var sent: [Sent] = []
    /// In the order of their making.
    package var wishes: [Wish] = []
    /// The client is done with everything up to here.
    package var cursor: LogSequence = 0
    /// What is above the cursor and not above this may have been sent to the client with QoS 1, of which nothing is noted.
    package var sentThrough: LogSequence = 0

    package init(clientIdentifier: String) { self.clientIdentifier = clientIdentifier }
}

/// Orders what was retained and what was wished for: a higher one was noted later.
package typealias RetainedPosition = UInt64
