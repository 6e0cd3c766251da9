package import MQTTModel

/// A change of what must survive of a session. Only sessions that outlive their connection are noted, and those that have
/// a will.
package enum SessionChange: Sendable {
    /// A new session; whatever was noted under its client identifier before is gone.
    case began(clientIdentifier: String)
    /// Its client has connected: the session outlives the connection by `expiryInterval` seconds (`UInt32.max`: for
    /// ever; 0: it ends with it, noted for its will alone).
    case connected(clientIdentifier: String, expiryInterval: UInt32, will: Will?)
    /// Its connection has ended: it ends in `expiryInterval` seconds, and its will is due in `willDelay` seconds, nil
    /// when it has none any more.
    case disconnected(clientIdentifier: String, expiryInterval: UInt32, willDelay: UInt32?)
    case ended(clientIdentifier: String)
    /// Its session has ended, if there was one, and no node has a connection of the client: the next CONNECT, wherever it
    /// comes, begins anew. Only for an engine that several nodes share, where a session that is not noted has a node, too.
    case departed(clientIdentifier: String)
    /// A subscription: a new one, which wants what the log holds above `since`; or one that is there, with its options as
    /// they are now, which keeps its own `since` if that is higher. If they have changed and messages wait, what is logged
    /// up to `since` goes by the earlier ones [MQTT-3.8.4-4]: they are kept until the client is done with that much.
    case subscribed(
        clientIdentifier: String, filter: String, options: SubscriptionOptions, identifier: UInt32, since: LogSequence,
        messagesWait: Bool)
    /// The end of one. With `through` the client still gets what is logged up to there.
    case unsubscribed(clientIdentifier: String, filter: String, through: LogSequence?)
    /// The client has been promised copies of the retained messages that match, as they are at this moment.
    case wished(clientIdentifier: String, RetainedWish)
    /// The client is done with all copies of a wish.
    case fulfilled(clientIdentifier: String, wish: LogSequence)
    /// A QoS 2 exchange of the client as publisher is over.
    case released(ReceivedExchange)
    /// A QoS 2 message is about to be sent to the client under this packet identifier. For a copy of a retained message
    /// its topic is kept, so that after a restart it is known which of the wish's copies it was.
    case sending(
        clientIdentifier: String, SentExchange, packetIdentifier: PacketIdentifier, topic: ExactText?)
    /// The client has it: only its PUBREL and PUBCOMP are left.
    case handedOver(clientIdentifier: String, SentExchange)
    /// The client is done with a QoS 2 message, though perhaps not with earlier ones.
    case finished(clientIdentifier: String, SentExchange)
    /// The client is done with everything it wanted up to and including this sequence.
    case advanced(clientIdentifier: String, through: LogSequence)
    /// The member that the group chose for a message is done with it.
    case groupFinished(SharedGroup, sequence: LogSequence)
    /// The member that was chosen for a message has not taken it: it is another's. Only for an engine that several nodes
    /// share.
    case groupPassed(SharedGroup, sequence: LogSequence, clientIdentifier: String)
}

extension SessionChange {
    /// Of the session that it changes; nil for what belongs to a group.
    package var clientIdentifier: String? {
        switch self {
        case .began(let client), .connected(let client, _, _), .disconnected(let client, _, _), .ended(let client),
            .departed(let client),
            .subscribed(let client, _, _, _, _, _), .unsubscribed(let client, _, _), .wished(let client, _),
            .fulfilled(let client, _), .sending(let client, _, _, _), .handedOver(let client, _),
            .finished(let client, _), .advanced(let client, _), .groupPassed(_, _, let client):
            client
        case .released(let exchange): exchange.clientIdentifier.string
        case .groupFinished: nil
        }
    }
}

/// Names a QoS 2 exchange with a session's client as receiver: which message, and by which of the session's
/// subscriptions, for by a shared one it may get the same message once more.
package struct SentExchange: Sendable, Hashable {
    /// In the log, or a copy's.
    package let sequence: LogSequence
    /// nil: by the session's own subscriptions.
    package let group: SharedGroup?

    package init(sequence: LogSequence, group: SharedGroup? = nil) {
        self.sequence = sequence
        self.group = group
    }
}

/// Copies of retained messages that a new subscription brings (section 3.3.1.3).
package struct RetainedWish: Sendable, Hashable {
    /// `LogSequence.wish`; 0 for one that nobody has to remember.
    package var number: LogSequence
    package let pattern: String
    package let options: SubscriptionOptions
    /// The subscription's; 0 for none.
    package let identifier: UInt32

    package init(number: LogSequence = 0, pattern: String, options: SubscriptionOptions, identifier: UInt32) {
        self.number = number
        self.pattern = pattern
        self.options = options
        self.identifier = identifier
    }
}
