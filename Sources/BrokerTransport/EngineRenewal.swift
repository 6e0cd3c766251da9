package import Backbone

/// How a broker whose engine can go on no longer begins anew in the same process: with another engine and what that
/// restores.
package struct EngineRenewal: Sendable {
    /// Makes the next engine.
    let engine: @Sendable () -> any BackboneEngine
    /// Whether what kept it from starting may be over in a while.
    let isWorthWaiting: @Sendable (any Error) -> Bool

    package init(
        engine: @escaping @Sendable () -> any BackboneEngine, isWorthWaiting: @escaping @Sendable (any Error) -> Bool
    ) {
        self.engine = engine
        self.isWorthWaiting = isWorthWaiting
    }
}
