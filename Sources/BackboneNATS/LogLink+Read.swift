import Flock
import NATSClient
import NATSProtocol
import NIOCore

/// How reading a stream to a place ended.
private enum Reading: Sendable {
    case complete
    /// The next message is not there any more.
    case gap
    case malformed(MalformedRecord)
}

private final class SnapshotReading {
    var reader: SnapshotReader
    /// Chunks that are still to come.
    var left: UInt64

    init(_ reader: SnapshotReader, left: UInt64) {
        self.reader = reader
        self.left = left
    }
}

/// What the log adds up to: the newest snapshot, and what came after it.
extension LogLink {
    /// Reads everything that there is, and at least through `place`. While that is done the log may be shortened and a newer
    /// snapshot written: then it is read instead.
    ///
    /// - Parameter applied: told of each batch.
    func readState(
        through place: UInt64, _ applied: @escaping (FlockState.Applied, FlockBatch) -> Void
    ) async throws {
        guard let connection else { throw FlockError("the log is read before there is a connection") }
        let deadline = ContinuousClock.now + options.startTimeout
        while true {
            let last: (snapshot: CompleteSnapshot, sequence: UInt64)?
            do {
                last = try await lastComplete()
            } catch let error as NATSError {
                // The stream's servers may still have to agree on who leads it.
                guard error.isTemporary, ContinuousClock.now < deadline else {
                    throw FlockError("the newest snapshot cannot be looked up: \(error)", remedy: .waiting)
                }
                try await Task.sleep(for: .milliseconds(100))
                continue
            }
            let start = try await readSnapshot(last?.snapshot, connection)
            if let start { state = start }
            let end = start == nil ? .gap : await readLog(through: place, connection, applied)
            switch end {
            case .complete: return
            case .malformed(let fault): throw FlockError("the log cannot be read: \(fault)")
            case .gap:
                guard ContinuousClock.now < deadline else { throw LogLink.incomplete(last?.snapshot) }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    private static func incomplete(_ snapshot: CompleteSnapshot?) -> FlockError {
        let reach = snapshot.map { "the newest snapshot is of place \($0.stream)" } ?? "there is no snapshot"
        return FlockError("the log was shortened and \(reach), which is missing or too early to go on from")
    }

    /// - Returns: nil when a part of it is missing.
    private func readSnapshot(
        _ complete: CompleteSnapshot?, _ connection: NATSConnection
    ) async throws -> FlockState? {
        guard let complete else { return FlockState(of: log.node) }
        var consumer = OrderedConsumer.Options(stream: snapshots.name)
        consumer.filters = [SubjectFilter(snapshots.chunks(of: complete.identity))]
        let reading = SnapshotReading(SnapshotReader(for: log.node, now: wallClock()), left: complete.chunkCount)
        let end = await read(connection, consumer) { payload, _ throws(MalformedRecord) in
            try payload.read { bytes throws(MalformedRecord) in try reading.reader.add(bytes) }
            reading.left -= 1
            return reading.left > 0 ? nil : .complete
        }
        switch end {
        case .gap: return nil
        case .malformed(let fault): throw FlockError("the snapshot cannot be read: \(fault)")
        case .complete: break
        }
        let state: FlockState
        do { state = try reading.reader.finish() } catch { throw FlockError("the snapshot cannot be read: \(error)") }
        guard state.stream == complete.stream else { throw FlockError("the snapshot is of another place than it says") }
        return state
    }

    private func readLog(
        through last: UInt64, _ connection: NATSConnection,
        _ applied: @escaping (FlockState.Applied, FlockBatch) -> Void
    ) async -> Reading {
        guard state.stream < last else { return .complete }
        var consumer = OrderedConsumer.Options(stream: options.stream)
        consumer.start = state.stream > 0 ? .after(state.stream) : .beginning
        return await read(connection, consumer) { payload, stream throws(MalformedRecord) in
            guard stream == self.state.stream + 1 else { return .gap }
            let batch = try FlockBatch(payload, at: self.wallClock())
            applied(self.state.replay(batch, stream: stream), batch)
            return stream < last ? nil : .complete
        }
    }

    /// Reads until `body` says how it ends, or all has come that was there.
    private func read(
        _ connection: NATSConnection, _ options: OrderedConsumer.Options,
        _ body: @escaping (ByteBuffer, UInt64) throws(MalformedRecord) -> Reading?
    ) async -> Reading {
        var consumer: OrderedConsumer?
        let end: Reading = await withCheckedContinuation { continuation in
            var waiting: CheckedContinuation<Reading, Never>? = continuation
            func end(_ reading: Reading) {
                consumer?.stop()
                waiting?.resume(returning: reading)
                waiting = nil
            }
            consumer = OrderedConsumer(connection, options) { event in
                if event == .caughtUp { end(.gap) }
            } handler: { message, delivery in
                guard waiting != nil else { return }
                do throws(MalformedRecord) {
                    if let reading = try body(message.payload, delivery.streamSequence) { end(reading) }
                } catch {
                    end(.malformed(error))
                }
            }
            consumer?.start()
        }
        consumer?.stop()
        return end
    }
}
