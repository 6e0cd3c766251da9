import MQTTModel

/// Which shard a session lives on: a function of the client identifier alone, so that a takeover and every later
/// connection are decided by one shard without asking another (P2 within a node).
package enum HomeShard {
    package static func index(of clientIdentifier: String, shardCount: UInt16) -> UInt16 {
        guard shardCount > 1 else { return 0 }
        let hash = StableHash.hash(clientIdentifier)
        return UInt16((hash ^ (hash >> 32)) % UInt64(shardCount))
    }
}
