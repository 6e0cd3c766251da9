/// What a bridge has counted since it was started.
package struct BridgeCounters: Sendable, Hashable {
    /// Messages passed on to the remote and to the local broker; one that had to be sent again counts again.
    package var messagesOut: UInt64 = 0
    package var messagesIn: UInt64 = 0
    /// Links made, and links that went down or could not be made.
    package var connections: UInt64 = 0
    package var disconnections: UInt64 = 0
    /// Messages that a broker refused for good.
    package var messagesRefused: UInt64 = 0
    /// Messages that were not passed on: too large for the other side, of no pattern, or here before.
    package var messagesTooLarge: UInt64 = 0
    package var messagesUnmatched: UInt64 = 0
    package var loopsStopped: UInt64 = 0

    package init() {}
}
