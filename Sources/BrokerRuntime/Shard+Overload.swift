package import BrokerCore
import MQTTCodec
import MQTTModel
import NIOCore

/// Slows whoever sends too fast, the more so while memory is short, and shares the loop among those who send: a
/// connection is not read from for a while, and what it sends waits on its side of the network.
extension Shard {
    /// Bytes of a packet that is not whole for which a connection is cut when memory is critical; before its CONNECT, and
    /// after it.
    private static let heldBytesBeforeConnect = 1 << 12
    private static let heldBytes = 1 << 16

    /// Connections that are cut each time that the memory is looked at: the others are to be served meanwhile.
    private static let cutsAtOnce = 64

    func updateThrottling() {
        isThrottling = limits.maximumMessageRate > 0 || limits.maximumByteRate > 0 || memoryLevel != .normal
        if !isThrottling { receiveRates.removeAll() }
    }

    /// A packet was decoded, `byteCount` on the network, and is about to be handled. Acknowledgements and pings are let
    /// through: whoever holds them up keeps messages in the queues.
    @inline(never)
    func throttle(_ connection: Connection, after packet: Packet, byteCount: Int) {
        switch packet {
        case .publish, .subscribe, .unsubscribe: break
        case .connect, .connAck, .acknowledgement, .subAck, .unsubAck, .pingReq, .pingResp, .disconnect, .auth: return
        }
        let limits = memoryLevel == .normal ? limits : limits.tightened(for: memoryLevel)
        guard let slot = connection.id?.slot,
            let readAgainAt = receiveRates[slot, default: ReceiveRate()].received(
                byteCount: byteCount, at: now, limits)
        else { return }
        countedPause(of: connection, until: readAgainAt)
    }

    private func countedPause(of connection: Connection, until instant: Instant) {
        core.countThrottled()
        pause(connection, until: instant)
    }

    private func pause(_ connection: Connection, until instant: Instant) {
        guard let id = connection.id, let index = slot(of: id) else { return }
        pause(index, .throttled)
        let deadline = NIODeadline.uptimeNanoseconds(instant.nanoseconds)
        loop.assumeIsolated().scheduleTask(deadline: deadline) {
            if let index = self.slot(of: id) { self.resume(index, .throttled) }
        }
    }

    /// While memory is short, a large packet comes slowly: nobody may have it all at once.
    func slowUnfinishedPacket(of connection: Connection) {
        guard memoryLevel != .normal, connection.pauses.isEmpty, let count = connection.undecoded?.readableBytes,
            count > Self.heldBytes
        else { return }
        countedPause(of: connection, until: now.advanced(by: .seconds(1)))
    }

    // MARK: Turns

    /// Packets of one connection between two looks at the clock, while they cost little.
    private static let mostPacketsBetweenLooks = 8
    private static let littleCost: UInt64 = 20_000
    /// How long one connection may be served at a stretch when others are, too, and when there is nobody else.
    private static let turn: UInt64 = 1_000_000
    private static let turnAlone: UInt64 = 10_000_000
    /// Who has not sent for so long is not there.
    private static let crowdedTime: UInt64 = 100_000_000
    /// Nanoseconds, long enough for the loop to look at its sockets.
    private static let shortBreak: UInt64 = 50_000
    /// Connections that a flush writes to from which on its time counts, and the time that is much.
    static let largeFlush = 64
    private static let longFlush: UInt64 = 2_000_000

    /// Whether the connection has been served long enough: its other packets wait until the others have had their turn. One
    /// publisher to a thousand subscribers would keep the loop for as long as a whole read of its messages takes.
    func yieldIfTurnIsOver(_ connection: Connection) {
        let time = NIODeadline.now().uptimeNanoseconds
        let cost = (time &- max(lastLook, now.nanoseconds)) / UInt64(packetsBetweenLooks)
        packetsBetweenLooks = cost > Self.littleCost ? 1 : Self.mostPacketsBetweenLooks
        lastLook = time
        let isCrowded = time &- lastOther.nanoseconds < Self.crowdedTime
        guard time &- now.nanoseconds > (isCrowded ? Self.turn : Self.turnAlone), connection.pauses.isEmpty else {
            return
        }
        // Writing what the turn has caused takes its time, too: the others get as long again.
        let rest = isCrowded && lastLargeFlush > Self.longFlush ? 2 * lastLargeFlush : Self.shortBreak
        lastLargeFlush = 0
        pause(connection, until: Instant(nanoseconds: time + rest))
    }

    // MARK: Memory

    /// The memory of the process was looked at. Told again and again while it is critical.
    package func memoryObserved(_ level: MemoryLevel) {
        loop.assertInEventLoop()
        readClock()
        if level != memoryLevel {
            memoryLevel = level
            updateThrottling()
            submit(.memoryLevelChanged(level))
        }
        if level == .critical { cutHolders() }
    }

    /// Ends the connections that hold much for nothing: packets that do not become whole, and output that is not read.
    private func cutHolders() {
        var left = Self.cutsAtOnce
        for index in slots.indices where left > 0 {
            guard let connection = slots[index].connection, let id = connection.id else { continue }
            let bound = connection.decoder.version == nil ? Self.heldBytesBeforeConnect : Self.heldBytes
            guard slots[index].isOverWatermark || (connection.undecoded?.readableBytes ?? 0) > bound else { continue }
            left -= 1
            runtimeCounters.connectionsCutForMemory += 1
            detach(connection, from: index)
            submit(.connectionClosed(id))
            depart(connection, saying: nil)
        }
    }
}
