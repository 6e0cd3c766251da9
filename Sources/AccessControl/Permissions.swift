import MQTTModel

/// What one client may do: the rules that are about it, with its own name in the place of placeholders.
package struct Permissions: Sendable {
    private struct Scopes: Sendable {
        var allowed: [TopicScope] = []
        var denied: [TopicScope] = []

        func permit(_ topic: UnsafeRawBufferPointer) -> Bool {
            for scope in denied where scope.matches(topic) { return false }
            for scope in allowed where scope.matches(topic) { return true }
            return false
        }

        /// Whether no topic of the filter can be one that is not permitted.
        func permitAll(of filter: TopicScope) -> Bool {
            for scope in denied where scope.overlaps(filter) { return false }
            for scope in allowed where scope.contains(filter) { return true }
            return false
        }
    }

    private var writing = Scopes()
    private var subscribing = Scopes()
    private var receiving = Scopes()
    /// Whether a message may match a subscription that was granted and yet not be for the client. While every rule is
    /// about both, that cannot be, and delivering need not ask.
    package private(set) var restrictsDelivery = false

    package init() {}

    mutating func add(_ rule: AccessRule, for identity: AccessIdentity) {
        guard let scope = rule.topics.scope(for: identity, effect: rule.effect) else { return }
        switch rule.effect {
        case .allow: allow(rule.actions, scope)
        case .deny: deny(rule.actions, scope)
        }
    }

    private mutating func allow(_ actions: AccessRule.Actions, _ scope: TopicScope) {
        if actions.contains(.write) { writing.allowed.append(scope) }
        if actions.contains(.subscribe) { subscribing.allowed.append(scope) }
        if actions.contains(.receive) { receiving.allowed.append(scope) }
        if actions.contains(.subscribe), !actions.contains(.receive) { restrictsDelivery = true }
    }

    private mutating func deny(_ actions: AccessRule.Actions, _ scope: TopicScope) {
        if actions.contains(.write) { writing.denied.append(scope) }
        if actions.contains(.subscribe) { subscribing.denied.append(scope) }
        if actions.contains(.receive) { receiving.denied.append(scope) }
        if actions.contains(.receive), !actions.contains(.subscribe) { restrictsDelivery = true }
    }

    /// Whether the client may publish to the topic.
    package func permitWriting(_ topic: UnsafeRawBufferPointer) -> Bool { writing.permit(topic) }

    /// Whether a message with the topic may go to the client.
    package func permitReceiving(_ topic: UnsafeRawBufferPointer) -> Bool { receiving.permit(topic) }

    /// Whether the client may have the subscription: one `allow` covers every topic of it, and no `deny` touches it.
    ///
    /// - Parameter pattern: the filter; of a shared subscription what stands behind its name.
    package func permitSubscribing(to pattern: String) -> Bool {
        subscribing.permitAll(of: TopicScope(pattern: pattern))
    }
}
