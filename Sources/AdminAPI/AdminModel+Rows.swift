import Backbone
import BrokerCore
import BrokerRuntime
import MQTTModel
import NIOCore
import TransportModel

extension NodeRow {
    /// A node that has missed more beats than this is shown as silent.
    private static let patience = Duration.seconds(3)

    /// - Parameter own: of the node that is asked, as it is now.
    init(_ sighting: NodeSighting, own: NodeRow) {
        let facts = sighting.facts ?? NodeFacts()
        if sighting.name == own.name {
            self = own
        } else {
            self.init(
                name: sighting.name, version: facts.version, isReady: facts.isReady, reasons: facts.reasons,
                isDraining: facts.isDraining, uptimeSeconds: Int(clamping: facts.uptimeSeconds),
                listeners: facts.listeners, connections: Int(clamping: facts.connections),
                clients: Int(clamping: facts.clients), sessions: Int(clamping: facts.sessions),
                subscriptions: Int(clamping: facts.subscriptions),
                retainedMessages: Int(clamping: facts.retainedMessages))
        }
        lagBatches = Int(clamping: facts.lagBatches)
        lagMilliseconds = Int(clamping: facts.lagMilliseconds)
        silentSeconds = sighting.silence.map { Int($0.components.seconds) }
        let isSilent = sighting.silence.map { $0 > NodeRow.patience } ?? true
        state = !sighting.isLiving ? .ended : isSilent ? .silent : isDraining ? .draining : .up
        if state == .ended || state == .silent { isReady = false }
    }

    /// For people.
    package var stateText: String {
        switch state {
        case .up, nil: isDraining ? "draining" : "up"
        case .draining: "draining"
        case .silent: silentSeconds.map { "not heard for \($0)s" } ?? "never heard"
        case .ended: "ended"
        }
    }
}

extension SessionRow {
    init(_ session: SessionDescription, at now: Instant) {
        let isConnected = session.connection != nil
        self.init(
            clientIdentifier: session.clientIdentifier, isConnected: isConnected, userName: session.userName,
            address: session.address,
            version: session.version?.number,
            connectedSeconds: isConnected ? Int(now.wholeSeconds(since: session.connectedAt)) : nil,
            keepAliveTimeoutSeconds: session.keepAliveTimeout.map { Double($0.wholeNanoseconds) / 1e9 },
            sessionExpiryInterval: session.expiryInterval, subscriptions: session.subscriptions,
            queuedMessages: session.queuedMessages, queuedBytes: session.queuedBytes,
            inflightMessages: session.inflightMessages)
    }
}

extension SubscriptionRow {
    init(_ subscription: SubscriptionDescription) {
        self.init(
            clientIdentifier: subscription.clientIdentifier, filter: subscription.filter,
            maximumQoS: Int(subscription.maximumQoS.rawValue))
    }
}

extension RetainedRow {
    init(_ message: ApplicationMessage, at now: Instant) {
        self.init(
            topic: message.topicString, qos: Int(message.qos.rawValue), payloadBytes: message.payloadLength,
            expirySeconds: message.remainingExpiry(at: now))
    }
}

extension BanList.Subject {
    /// - Throws: when the value is none of its kind.
    init(_ kind: BanRow.Kind, _ value: String) throws(AdminFailure) {
        guard !value.isEmpty else { throw AdminFailure("a ban needs a value") }
        switch kind {
        case .client: self = .clientIdentifier(ExactText(value))
        case .user: self = .userName(ExactText(value))
        case .address:
            guard let address = IPAddress(parsing: value) else {
                throw AdminFailure("\"\(value)\" is no IPv4 or IPv6 address")
            }
            self = .address(address.unmapped.description)
        }
    }
}

extension BanRow {
    init(_ ban: BanList.Ban) {
        let left = ban.until.map { max(0, ($0 - .now()).nanoseconds) }
        let seconds = left.map { Int(($0 + 999_999_999) / 1_000_000_000) }
        switch ban.subject {
        case .clientIdentifier(let text): self.init(kind: .client, value: text.string, seconds: seconds)
        case .userName(let text): self.init(kind: .user, value: text.string, seconds: seconds)
        case .address(let text): self.init(kind: .address, value: text, seconds: seconds)
        }
        if !ban.reason.isEmpty { reason = ban.reason }
    }
}
