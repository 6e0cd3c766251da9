package import BrokerCore
import MQTTCodec
import MQTTModel
import NIOCore

/// Slows whoever sends too fast, and all who make the broker grow while it is short of memory: they are not read from
/// for a while, and what they send waits on their side of the network.
extension Shard {
    /// How long a connection is not read from after each message or change of subscriptions.
    private static let pauseWhenHigh = Duration.milliseconds(250)
    private static let pauseWhenCritical = Duration.seconds(1)
    /// Bytes of a packet that is not whole for which a connection is cut when memory is critical; before its CONNECT, and
    /// after it.
    private static let heldBytesBeforeConnect = 1 << 12
    private static let heldBytes = 1 << 16

    func updateThrottling() {
        isThrottling = limits.maximumMessageRate > 0 || limits.maximumByteRate > 0 || memoryLevel != .normal
    }

    /// A packet was decoded, `byteCount` on the network, and is about to be handled. Acknowledgements and pings are let
    /// through: whoever holds them up keeps messages in the queues.
    @inline(never)
    func throttle(_ connection: Connection, after packet: Packet, byteCount: Int) {
        switch packet {
        case .publish, .subscribe, .unsubscribe: break
        case .connect, .connAck, .acknowledgement, .subAck, .unsubAck, .pingReq, .pingResp, .disconnect, .auth: return
        }
        var readAgainAt = connection.receiveRate.received(byteCount: byteCount, at: now, limits) ?? now
        if memoryLevel != .normal {
            let pause = memoryLevel == .high ? Self.pauseWhenHigh : Self.pauseWhenCritical
            readAgainAt = max(readAgainAt, now.advanced(by: pause))
        }
        guard readAgainAt > now, let id = connection.id, let index = slot(of: id) else { return }
        core.countThrottled()
        pause(index, .throttled)
        let deadline = NIODeadline.uptimeNanoseconds(readAgainAt.nanoseconds)
        loop.assumeIsolated().scheduleTask(deadline: deadline) {
            if let index = self.slot(of: id) { self.resume(index, .throttled) }
        }
    }

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
        for index in slots.indices {
            guard let connection = slots[index].connection, let id = connection.id else { continue }
            let bound = connection.decoder.version == nil ? Self.heldBytesBeforeConnect : Self.heldBytes
            guard slots[index].isOverWatermark || (connection.undecoded?.readableBytes ?? 0) > bound else { continue }
            runtimeCounters.connectionsCutForMemory += 1
            detach(connection, from: index)
            submit(.connectionClosed(id))
            depart(connection, saying: nil)
        }
    }
}
