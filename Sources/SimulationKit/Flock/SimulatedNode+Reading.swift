import Backbone
import Flock
import MQTTModel

extension FlockDriver {
    /// Messages of the log that are being read again.
    struct Read {
        let sequences: [LogSequence]
        let submitter: UInt16
        let token: BackboneToken
    }

    /// What lies at a place of the stream.
    func batch(at place: UInt64, _ wallClock: UInt64) -> FlockBatch? {
        servers[place].flatMap { bytes in
            bytes.withUnsafeBytes { try? FlockBatch($0, at: wallClock) }
        }
    }
}

extension SimulatedNode {
    func read(_ sequences: [LogSequence], submitter: UInt16, token: BackboneToken) {
        let delay = flock.drawDelay() + flock.drawDelay()
        flock.schedule(
            .read(FlockDriver.Read(sequences: sequences, submitter: submitter, token: token)), for: self, after: delay)
    }

    func answer(_ read: FlockDriver.Read) {
        let fails = isCut || random.chance(flock.faults.failedReadPercent)
        driver.leave([
            Settled(
                submitter: read.submitter, token: read.token, outcome: fails ? .unknown : .done, entry: nil,
                found: fails ? [] : found(read.sequences))
        ])
    }

    /// The messages at these places. Several of one batch cost one read.
    private func found(_ sequences: [LogSequence]) -> [LogEntry] {
        var batches: [UInt64: FlockBatch] = [:]
        var found: [LogEntry] = []
        for sequence in sequences.sorted() {
            guard let batch = batches[sequence.stream] ?? flock.batch(at: sequence.stream, wallClock) else { continue }
            batches[sequence.stream] = batch
            guard batch.records.indices.contains(sequence.indexInBatch),
                case .append(let append) = batch.records[sequence.indexInBatch]
            else { continue }
            found.append(LogEntry(sequence: sequence, message: append.message, publisher: .none))
        }
        return found
    }
}
