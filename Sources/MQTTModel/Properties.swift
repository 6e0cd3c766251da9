/// The properties of one packet, in the order they were sent. Empty for 3.x.
///
/// An array and not a struct of optionals: a packet rarely has more than two, order matters for user properties
/// [MQTT-3.3.2-18], and an empty one costs a pointer.
public struct Properties: Sendable, Hashable, ExpressibleByArrayLiteral {
    public private(set) var all: [Property]

    public init(_ all: [Property] = []) { self.all = all }
    public init(arrayLiteral elements: Property...) { self.all = elements }

    public var isEmpty: Bool { all.isEmpty }
    public mutating func append(_ property: Property) { all.append(property) }

    private func first<Value>(_ pick: (Property) -> Value?) -> Value? {
        for property in all {
            if let value = pick(property) { return value }
        }
        return nil
    }

    public var payloadFormatIndicator: UInt8? {
        first { if case .payloadFormatIndicator(let v) = $0 { v } else { nil } }
    }
    public var messageExpiryInterval: UInt32? {
        first { if case .messageExpiryInterval(let v) = $0 { v } else { nil } }
    }
    public var contentType: String? { first { if case .contentType(let v) = $0 { v } else { nil } } }
    public var responseTopic: String? { first { if case .responseTopic(let v) = $0 { v } else { nil } } }
    public var correlationData: [UInt8]? { first { if case .correlationData(let v) = $0 { v } else { nil } } }
    public var sessionExpiryInterval: UInt32? {
        first { if case .sessionExpiryInterval(let v) = $0 { v } else { nil } }
    }
    public var assignedClientIdentifier: String? {
        first { if case .assignedClientIdentifier(let v) = $0 { v } else { nil } }
    }
    public var serverKeepAlive: UInt16? { first { if case .serverKeepAlive(let v) = $0 { v } else { nil } } }
    public var authenticationMethod: String? { first { if case .authenticationMethod(let v) = $0 { v } else { nil } } }
    public var authenticationData: [UInt8]? { first { if case .authenticationData(let v) = $0 { v } else { nil } } }
    public var requestProblemInformation: UInt8? {
        first { if case .requestProblemInformation(let v) = $0 { v } else { nil } }
    }
    public var willDelayInterval: UInt32? { first { if case .willDelayInterval(let v) = $0 { v } else { nil } } }
    public var requestResponseInformation: UInt8? {
        first { if case .requestResponseInformation(let v) = $0 { v } else { nil } }
    }
    public var responseInformation: String? { first { if case .responseInformation(let v) = $0 { v } else { nil } } }
    public var serverReference: String? { first { if case .serverReference(let v) = $0 { v } else { nil } } }
    public var reasonString: String? { first { if case .reasonString(let v) = $0 { v } else { nil } } }
    public var receiveMaximum: UInt16? { first { if case .receiveMaximum(let v) = $0 { v } else { nil } } }
    public var topicAliasMaximum: UInt16? { first { if case .topicAliasMaximum(let v) = $0 { v } else { nil } } }
    public var topicAlias: UInt16? { first { if case .topicAlias(let v) = $0 { v } else { nil } } }
    public var maximumQoS: UInt8? { first { if case .maximumQoS(let v) = $0 { v } else { nil } } }
    public var retainAvailable: UInt8? { first { if case .retainAvailable(let v) = $0 { v } else { nil } } }
    public var maximumPacketSize: UInt32? { first { if case .maximumPacketSize(let v) = $0 { v } else { nil } } }
    public var wildcardSubscriptionAvailable: UInt8? {
        first { if case .wildcardSubscriptionAvailable(let v) = $0 { v } else { nil } }
    }
    public var subscriptionIdentifierAvailable: UInt8? {
        first { if case .subscriptionIdentifierAvailable(let v) = $0 { v } else { nil } }
    }
    public var sharedSubscriptionAvailable: UInt8? {
        first { if case .sharedSubscriptionAvailable(let v) = $0 { v } else { nil } }
    }
    /// The first subscription identifier; SUBSCRIBE has at most one.
    public var subscriptionIdentifier: UInt32? {
        first { if case .subscriptionIdentifier(let v) = $0 { v } else { nil } }
    }
    /// All subscription identifiers; a PUBLISH to a client may have several.
    public var subscriptionIdentifiers: [UInt32] {
        all.compactMap { if case .subscriptionIdentifier(let v) = $0 { v } else { nil } }
    }
    public var userProperties: [(name: String, value: String)] {
        all.compactMap { if case .userProperty(let name, let value) = $0 { (name, value) } else { nil } }
    }
}
