package import AccessControl
package import Backbone
package import BrokerCore
package import TransportModel

/// What a broker listens on and how it behaves.
package struct BrokerServerConfiguration: Sendable {
    package var listeners: [Listener]
    /// Shards, each an event loop with a thread of its own; nil: one for each CPU that this process may run on.
    package var shardCount: Int?
    package var options: BrokerOptions
    /// `shardCount`, or what stands for it when it is nil.
    package var effectiveShardCount: Int {
        min(max(1, shardCount ?? ProcessLimits.availableProcessors), Int(UInt16.max))
    }
    /// What outlives the process; nil: nothing does.
    package var engine: (any BackboneEngine)?
    /// What takes the engine's place when the broker is to begin anew; nil: it never is.
    package var renewal: EngineRenewal?
    /// Who says whether clients are who they say they are; needed when the options' policy checks them.
    package var authenticator: (any Authenticator)?
    /// How clients are moved away, unless an operator says something else.
    package var drain = Drain()
    /// Bytes of memory that the process has; a test may say others.
    package var usedMemory: @Sendable () -> Int = { ProcessLimits.usedMemory() }

    package init(
        listeners: [Listener] = [Listener(host: "127.0.0.1", port: 1883)], shardCount: Int? = nil,
        options: BrokerOptions = BrokerOptions()
    ) {
        self.listeners = listeners
        self.shardCount = shardCount
        self.options = options
    }
}
