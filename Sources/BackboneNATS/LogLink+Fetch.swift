import Backbone
import Flock
import MQTTModel
import NATSClient
import NIOCore

/// Messages of the log that are being read again.
struct Fetch {
    let submitter: UInt16
    let token: BackboneToken
    /// Reads without an answer.
    var remaining: Int
    var found: [LogEntry] = []
    /// The last place of the stream at which a replica had nothing.
    var lastMissing: UInt64?
    var hasFailed = false
}

/// Those of a fetch that lie in one batch.
struct WantedOfBatch {
    let fetch: UInt64
    let sequences: [LogSequence]
}

extension LogLink {
    /// Reads messages of the log, by their places. Several of one batch cost one read, also of several sessions.
    func fetch(_ sequences: [LogSequence], submitter: UInt16, token: BackboneToken) {
        var byStream: [UInt64: [LogSequence]] = [:]
        for sequence in sequences { byStream[sequence.stream, default: []].append(sequence) }
        var fetch = Fetch(submitter: submitter, token: token, remaining: byStream.count)
        guard let connection, !byStream.isEmpty else {
            fetch.hasFailed = !byStream.isEmpty
            return answer(fetch)
        }
        nextFetch += 1
        let number = nextFetch
        fetches[number] = fetch
        for stream in byStream.keys.sorted() {
            let wanted = WantedOfBatch(fetch: number, sequences: byStream[stream] ?? [])
            if let batch = recentBatches[stream] {
                received(batch, wanted)
            } else if reads[stream] != nil {
                reads[stream]?.append(wanted)
            } else {
                reads[stream] = [wanted]
                connection.directGet(stream: options.stream, .sequence(stream)) { self.received($0, at: stream) }
            }
        }
    }

    private func received(_ result: Result<StoredMessage?, NATSError>, at stream: UInt64) {
        if case .success(.some(let message)) = result { recentBatches.add(message.payload, at: stream) }
        for wanted in reads.removeValue(forKey: stream) ?? [] {
            switch result {
            case .success(nil):
                progress(of: wanted.fetch) { $0.lastMissing = max($0.lastMissing ?? 0, stream) }
            case .success(.some(let message)): received(message.payload, wanted)
            case .failure: progress(of: wanted.fetch) { $0.hasFailed = true }
            }
        }
    }

    private func received(_ batch: ByteBuffer, _ wanted: WantedOfBatch) {
        let now = wallClock()
        let found = batch.withUnsafeReadableBytes { bytes in
            try? FlockBatch.entries(of: wanted.sequences, in: bytes, at: now)
        }
        progress(of: wanted.fetch) { fetch in
            if let found { fetch.found += found } else { fetch.hasFailed = true }
        }
    }

    private func progress(of number: UInt64, _ body: (inout Fetch) -> Void) {
        guard var fetch = fetches[number] else { return }
        body(&fetch)
        fetch.remaining -= 1
        fetches[number] = fetch.remaining > 0 ? fetch : nil
        if fetch.remaining == 0 { finish(fetch) }
    }

    /// A replica may be behind: what it does not have is gone only if the leader says that the log begins later.
    private func finish(_ fetch: Fetch) {
        guard let lastMissing = fetch.lastMissing, !fetch.hasFailed, let connection else { return answer(fetch) }
        connection.askJetStream("STREAM.INFO.\(options.stream)", for: StreamInfo.self) { result in
            var fetch = fetch
            fetch.hasFailed = lastMissing >= (try? result.get())?.state.firstSequence ?? 0
            self.answer(fetch)
        }
    }

    private func answer(_ fetch: Fetch) {
        let found = fetch.hasFailed ? [] : fetch.found.sorted { $0.sequence < $1.sequence }
        answer(
            Settled(
                submitter: fetch.submitter, token: fetch.token, outcome: fetch.hasFailed ? .unknown : .done, entry: nil,
                found: found))
    }
}
