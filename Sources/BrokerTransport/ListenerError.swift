/// A listener that could not be bound.
package struct ListenerError: Error, Sendable, CustomStringConvertible {
    package let listener: BrokerServerConfiguration.Listener
    /// Why, and what to do.
    package let reason: String

    package init(listener: BrokerServerConfiguration.Listener, reason: String) {
        self.listener = listener
        self.reason = reason
    }

    package var description: String { "cannot listen on \(listener): \(reason)" }
}
