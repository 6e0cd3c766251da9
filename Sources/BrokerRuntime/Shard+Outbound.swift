import BrokerCore
import MQTTModel
import NIOCore

/// Writes what the effects gathered.
extension Shard {
    /// Outbound bytes that are written at once instead of at the end of the tick, so that a large fan-in stays in the
    /// cache and only a client that really does not read comes to its watermark. Not the same for all, or a message to a
    /// thousand that do not read would cause a thousand large writes.
    func earlyWriteThreshold(_ index: Int) -> Int {
        min((1 << 16) + (index & 63) << 12, limits.outboundHighWatermark)
    }

    func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        loop.assumeIsolated().execute { self.flush() }
    }

    /// Ends the tick: posts the mail for other shards, then writes each connection once.
    func flush() {
        isFlushScheduled = false
        if !resumable.isEmpty {
            readClock()
            resumeConnections()
        }
        if hasOutgoingMail { postOutgoingMail() }
        if !dirtySlots.isEmpty {
            runtimeCounters.flushes += 1
            // Grows while it is read when a write ends a connection and the core publishes its will.
            let start = dirtySlots.count > Shard.largeFlush ? NIODeadline.now() : nil
            var next = 0
            while next < dirtySlots.count {
                writeOutbound(Int(dirtySlots[next]))
                next += 1
            }
            if let start { lastLargeFlush = UInt64(clamping: (NIODeadline.now() - start).nanoseconds) }
            dirtySlots.removeAll(keepingCapacity: dirtySlots.count <= 1 << 16)
        }
        if timedSince != .zero { noteLatency() }
        if !farewells.isEmpty { sayFarewells() }
    }

    /// What waited longer than this waited for its client, who was away or did not read, and not for the broker.
    private static let longestLatencyNanoseconds: UInt64 = 10_000_000_000

    @inline(never)
    private func noteLatency() {
        let nanoseconds = NIODeadline.now().uptimeNanoseconds &- timedSince.nanoseconds
        timedSince = .zero
        if nanoseconds <= Shard.longestLatencyNanoseconds { latency.add(nanoseconds: nanoseconds) }
    }

    private func writeOutbound(_ index: Int) {
        guard slots[index].isDirty else { return }
        slots[index].isDirty = false
        guard !slots[index].isBlocked, let connection = slots[index].connection,
            var buffer = slots[index].outbound.take()
        else { return }
        guard let count = buffer.withUnsafeReadableBytes({ connection.write($0) }) else {
            // Broken: its end comes from the transport.
            return buffers.giveBack(&buffer)
        }
        runtimeCounters.bytesSent += UInt64(count)
        if count == buffer.readableBytes {
            buffers.giveBack(&buffer)
            updateWritability(index, outboundBytes: 0)
        } else {
            runtimeCounters.blockedWrites += 1
            buffer.moveReaderIndex(forwardBy: count)
            slots[index].isBlocked = true
            connection.unwrittenBytes = UInt32(buffer.readableBytes)
            runtimeCounters.bytesSent += UInt64(buffer.readableBytes)
            updateWritability(index, outboundBytes: buffer.readableBytes)
            connection.writeRest(buffer)
        }
    }

    /// What was given to `writeRest` has left.
    package func written(_ connection: Connection) {
        loop.assertInEventLoop()
        connection.unwrittenBytes = 0
        guard let id = connection.id, let index = slot(of: id) else { return }
        slots[index].isBlocked = false
        readClock()
        guard slots[index].outbound != nil else { return updateWritability(index, outboundBytes: 0) }
        slots[index].isDirty = true
        writeOutbound(index)
    }

    /// A connection's outbound buffer passed a threshold: write early, and see whether the client takes it.
    func outboundGrew(_ index: Int, to count: Int) {
        if slots[index].isBlocked {
            let unwritten = slots[index].connection.map { Int($0.unwrittenBytes) } ?? 0
            updateWritability(index, outboundBytes: count + unwritten)
        } else {
            if hasOutgoingMail { postOutgoingMail() }
            writeOutbound(index)
        }
    }

    private func updateWritability(_ index: Int, outboundBytes: Int) {
        let isOver = slots[index].isOverWatermark
        guard isOver ? outboundBytes <= limits.outboundLowWatermark : outboundBytes > limits.outboundHighWatermark,
            let id = slots[index].connection?.id
        else { return }
        slots[index].isOverWatermark = !isOver
        if isOver { resume(index, .notWritable) } else { pause(index, .notWritable) }
        submit(.writabilityChanged(id, isWritable: isOver))
    }

    private func sayFarewells() {
        var next = 0
        while next < farewells.count {
            let farewell = farewells[next]
            farewell.connection.close(after: farewell.bytes)
            next += 1
        }
        farewells.removeAll(keepingCapacity: farewells.count <= 1024)
    }
}
