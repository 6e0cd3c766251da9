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

extension LogLink {
    /// Reads messages of the log, by their places. Several of one batch cost one read.
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
            let wanted = byStream[stream] ?? []
            connection.directGet(stream: options.stream, .sequence(stream)) { result in
                self.received(result, at: stream, wanted, fetch: number)
            }
        }
    }

    private func received(
        _ result: Result<StoredMessage?, NATSError>, at stream: UInt64, _ wanted: [LogSequence], fetch number: UInt64
    ) {
        guard var fetch = fetches[number] else { return }
        switch result {
        case .success(nil): fetch.lastMissing = max(fetch.lastMissing ?? 0, stream)
        case .success(.some(let message)): take(wanted, of: message, &fetch)
        case .failure: fetch.hasFailed = true
        }
        fetch.remaining -= 1
        fetches[number] = fetch.remaining > 0 ? fetch : nil
        if fetch.remaining == 0 { finish(fetch) }
    }

    private func take(_ wanted: [LogSequence], of message: StoredMessage, _ fetch: inout Fetch) {
        guard let batch = try? FlockBatch(message.payload, at: wallClock()) else {
            fetch.hasFailed = true
            return
        }
        for sequence in wanted where batch.records.indices.contains(sequence.indexInBatch) {
            guard case .append(let append) = batch.records[sequence.indexInBatch] else { continue }
            fetch.found.append(LogEntry(sequence: sequence, message: append.message, publisher: .none))
        }
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
