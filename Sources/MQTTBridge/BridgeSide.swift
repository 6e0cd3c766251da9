/// One of the two brokers that a bridge is a client of.
package enum BridgeSide: UInt8, Sendable, Hashable, CaseIterable {
    /// The broker that the bridge belongs to, and whose session for it is what waits while there is no link.
    case local
    case remote

    package var other: BridgeSide { self == .local ? .remote : .local }
}
