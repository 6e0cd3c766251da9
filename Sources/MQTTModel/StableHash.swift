/// FNV-1a, 64 bits: the same on every node, in every run and every version. For decisions that all have to make alike;
/// not for tables, where a client could choose what collides.
package enum StableHash {
    package static func hash(_ string: String) -> UInt64 { hash(bytes: string.utf8) }

    package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 { hash(bytes: bytes) }

    private static func hash(bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return hash
    }
}
