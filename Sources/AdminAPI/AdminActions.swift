/// What the process does for its operators beside what the broker itself can do.
package struct AdminActions: Sendable {
    /// Reads the configuration again and takes over what can be taken over. The answer is for people.
    package var reload: @Sendable () async throws(AdminFailure) -> Outcome
    package var logLevel: @Sendable () -> String
    /// - Returns: false when there is no such level.
    package var setLogLevel: @Sendable (String) -> Bool

    package init(
        reload: @escaping @Sendable () async throws(AdminFailure) -> Outcome,
        logLevel: @escaping @Sendable () -> String, setLogLevel: @escaping @Sendable (String) -> Bool
    ) {
        self.reload = reload
        self.logLevel = logLevel
        self.setLogLevel = setLogLevel
    }
}

/// Why an operator's wish was not fulfilled, in words for people.
package struct AdminFailure: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
