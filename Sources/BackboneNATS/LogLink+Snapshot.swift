import Flock
import MQTTModel
import NATSClient
import NATSProtocol
import NIOCore
import Synchronization

/// What a node has under way to keep the log short.
struct Upkeep {
    /// The newest complete snapshot that this node knows of: the log may not have heard of it yet.
    var newest = FlockState.LastSnapshot()
    var isWriting = false
    /// Milliseconds since 1970, after one that failed.
    var nextAttempt: UInt64 = 0
    /// The log is to be dropped through here.
    var wantedDrop: UInt64 = 0
    /// Where the log was when the node last said what it wants.
    var saidAt: UInt64 = 0
    var purgedThrough: UInt64 = 0
    var isPurging = false
    /// The servers have refused a batch for want of room since the last purge.
    var isFull = false
}

/// Why there is no snapshot.
private enum SnapshotFault: Error {
    /// The node ends.
    case stopped
    case refused
    /// Another node was quicker.
    case overtaken
}

/// Keeping the log short: snapshots of what it adds up to, and away with what nobody needs any more.
extension LogLink {
    var snapshots: SnapshotStream { SnapshotStream(log: options.stream) }

    /// Called with each beat.
    func keepLogShort() {
        guard !isDone, connection != nil else { return }
        let now = wallClock()
        if let through = state.dropDue(options.held, now: now) { upkeep.wantedDrop = max(upkeep.wantedDrop, through) }
        if state.lastSnapshot.stream > upkeep.newest.stream { upkeep.newest = state.lastSnapshot }
        sayWhatIsWanted()
        if now >= upkeep.nextAttempt, state.isSnapshotDue(interval: options.snapshotInterval) { writeSnapshot() }
        updateFigures()
    }

    /// Again as long as the log has not heard of it, but only while it moves: a full one refuses this, too.
    private func sayWhatIsWanted() {
        guard upkeep.saidAt < state.stream else { return }
        if upkeep.wantedDrop > state.droppedThrough {
            upkeep.saidAt = state.stream
            log.submit(.dropped(through: upkeep.wantedDrop))
        }
        if upkeep.newest.stream > state.lastSnapshot.stream {
            upkeep.saidAt = state.stream
            log.submit(.snapshot(stream: upkeep.newest.stream, byteCount: upkeep.newest.byteCount))
        }
    }

    func updateFigures() {
        counts.keptMessages = state.kept.count
        counts.heldBytes = state.heldBytes
        counts.droppedMessages = state.droppedMessages
        counts.snapshotBytes = upkeep.newest.byteCount
        board.see(counts)
    }

    // MARK: Writing

    private func writeSnapshot() {
        guard !upkeep.isWriting else { return }
        upkeep.isWriting = true
        let source = SnapshotSource(state)
        Task { await self.write(source) }
    }

    private func write(_ source: SnapshotSource) async {
        do throws(SnapshotFault) {
            let complete = try await store(source)
            upkeep.newest = FlockState.LastSnapshot(stream: complete.stream, byteCount: complete.byteCount)
            counts.snapshots += 1
            upkeep.saidAt = 0
            purge(throughSnapshotAt: complete.stream)
            sayWhatIsWanted()
            flush()
        } catch {
            counts.snapshotFailures += 1
            upkeep.nextAttempt = wallClock() + options.snapshotRetryDelay.wholeNanoseconds / 1_000_000
        }
        upkeep.isWriting = false
    }

    private func store(_ source: SnapshotSource) async throws(SnapshotFault) -> CompleteSnapshot {
        guard let connection else { throw .stopped }
        let last: (snapshot: CompleteSnapshot, sequence: UInt64)?
        do { last = try await lastComplete() } catch { throw .refused }
        // Its writer died before it could say so.
        if let last, last.snapshot.stream >= source.place || last.snapshot.stream > upkeep.newest.stream {
            return last.snapshot
        }
        let identity = "\(String(log.incarnation, radix: 36))-\(source.place)"
        do throws(SnapshotFault) {
            let complete = try await storeChunks(of: source, identity)
            try await store(complete, behind: last?.sequence ?? 0)
            // All that is older: earlier snapshots, and what is left of those that were cut off.
            connection.purge(stream: snapshots.name, below: complete.firstChunk) { _ in }
            return complete
        } catch {
            connection.purge(stream: snapshots.name, filter: SubjectFilter(snapshots.chunks(of: identity))) { _ in }
            throw error
        }
    }

    /// One at a time: what clients wait for goes between them.
    private func storeChunks(
        of source: SnapshotSource, _ identity: String
    ) async throws(SnapshotFault) -> CompleteSnapshot {
        let chunks = SnapshotChunks(source, chunkBytes: options.snapshotChunkBytes, now: wallClock())
        var complete = CompleteSnapshot(
            identity: identity, stream: source.place, chunkCount: 0, byteCount: 0, firstChunk: 0)
        while let chunk = await chunks.next() {
            let conditions = StoreConditions(messageID: "\(identity).\(complete.chunkCount)")
            let subject = snapshots.chunks(of: identity)
            let sequence = try await storePatiently(ByteBuffer(bytes: chunk), to: subject, conditions)
            if complete.chunkCount == 0 { complete.firstChunk = sequence }
            complete.chunkCount += 1
            complete.byteCount += UInt64(chunk.count)
        }
        return complete
    }

    /// Decides between two nodes that write a snapshot at the same time: one of them is complete.
    ///
    /// - Parameter last: the place of the completion before it.
    private func store(_ complete: CompleteSnapshot, behind last: UInt64) async throws(SnapshotFault) {
        let conditions = StoreConditions(messageID: complete.identity, lastSubjectSequence: last)
        do {
            _ = try await storePatiently(complete.encoded, to: snapshots.completions, conditions)
        } catch {
            // Its own answer may have been lost.
            guard error == .overtaken, let now = try? await lastComplete(), now.snapshot == complete else {
                throw error
            }
        }
    }

    private static let attempts = 10

    /// - Returns: its place.
    private func storePatiently(
        _ payload: ByteBuffer, to subject: Subject, _ conditions: StoreConditions
    ) async throws(SnapshotFault) -> UInt64 {
        for _ in 0..<LogLink.attempts {
            guard !isDone, let connection else { throw .stopped }
            let outcome: StoreOutcome = await withCheckedContinuation { continuation in
                connection.store(payload, to: subject, conditions: conditions, timeout: options.writeTimeout) {
                    continuation.resume(returning: $0)
                }
            }
            switch outcome {
            case .stored(let acknowledgement): return acknowledgement.sequence
            case .conflict: throw .overtaken
            case .refused(let error) where !error.isTemporary: throw .refused
            case .refused, .noResponders, .notSent, .unknown: try? await Task.sleep(for: .milliseconds(500))
            }
        }
        throw .refused
    }

    /// The newest snapshot that is complete, as the leader has it; nil if there is none.
    func lastComplete() async throws -> (snapshot: CompleteSnapshot, sequence: UInt64)? {
        guard let connection else { throw SnapshotFault.stopped }
        let result: Result<StoredMessage?, NATSError> = await withCheckedContinuation { continuation in
            connection.lastMessage(stream: snapshots.name, of: snapshots.completions) {
                continuation.resume(returning: $0)
            }
        }
        guard let message = try result.get() else { return nil }
        let snapshot = try message.payload.read { bytes throws(MalformedRecord) in
            var reader = RecordReader(bytes)
            return try reader.completeSnapshot()
        }
        return (snapshot, message.sequence)
    }

    // MARK: Purging

    private func purge(throughSnapshotAt stream: UInt64) {
        let delay: TimeAmount = upkeep.isFull ? .zero : TimeAmount(options.purgeDelay)
        eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.purge(through: self.state.purgeable(through: stream))
        }
    }

    private func purge(through stream: UInt64) {
        guard !isDone, let connection, !upkeep.isPurging, stream > upkeep.purgedThrough else { return }
        upkeep.isPurging = true
        connection.purge(stream: options.stream, below: stream + 1) { result in
            self.upkeep.isPurging = false
            guard case .success = result else { return }
            self.upkeep.purgedThrough = max(self.upkeep.purgedThrough, stream)
            self.upkeep.isFull = false
            self.sayWhatIsWanted()
            self.flush()
        }
    }

    /// The servers have no room. What nobody needs goes at once; if that is nothing, an eighth of what is held does, though
    /// somebody wants it. That is said after it is gone, for the log has no room for saying it before; until then who reads
    /// it finds it gone.
    func makeRoom() {
        upkeep.isFull = true
        guard !upkeep.isPurging, !upkeep.isWriting else { return }
        state.forgetUnneededNow(now: wallClock())
        let needed = state.firstNeeded ?? .max
        let unneeded = state.purgeable(through: upkeep.newest.stream)
        if unneeded > upkeep.purgedThrough { return purge(through: unneeded) }
        guard upkeep.newest.stream >= needed else {
            // Not before its retry delay: there may be no room for it either.
            if wallClock() >= upkeep.nextAttempt, state.stream > upkeep.newest.stream { writeSnapshot() }
            return
        }
        let held = state.heldBytes
        let place = min(upkeep.newest.stream, state.size.place(leaving: held - held / 8) ?? 0)
        upkeep.wantedDrop = max(upkeep.wantedDrop, .end(ofBatch: max(place, needed)))
        upkeep.saidAt = 0
        purge(through: max(place, needed))
    }
}
