import Backbone
package import BrokerCore
import MQTTModel
import NIOCore

extension Shard: RestorableShard {
    package func withCore<Result>(_ body: (inout BrokerCore, inout Effects) -> Result) -> Result {
        body(&core, &effects)
    }

    /// Hands what a lasting engine kept to the shards, on the thread that starts them, before their loops run.
    static func restore(_ shards: [Shard], from engine: any BackboneEngine) throws {
        for shard in shards { shard.readClock() }
        var restoration = NodeRestoration(shards, at: shards[0].now)
        try engine.restore { session in
            restoration.restore(session)
        } retained: { message, position in
            restoration.restore(retained: message, position: position)
        } entry: { entry, groups in
            restoration.restore(entry, groups: groups)
        }
        restoration.finish()
        // Each on its loop: timers and mail belong there.
        for shard in shards { shard.loop.execute { shard.runRestoredEffects() } }
    }
}
