/// Which shard a session lives on: a function of the client identifier alone, so that a takeover and every later
/// connection are decided by one shard without asking another (P2 within a node).
package enum HomeShard {
    /// FNV-1a: the same on every node and in every run.
    package static func index(of clientIdentifier: String, shardCount: UInt16) -> UInt16 {
        guard shardCount > 1 else { return 0 }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in clientIdentifier.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return UInt16((hash ^ (hash >> 32)) % UInt64(shardCount))
    }
}
