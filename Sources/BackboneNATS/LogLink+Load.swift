import Backbone
import Flock
import MQTTModel
import NATSClient
import NATSProtocol
import NIOCore

/// What a node takes up when it starts.
struct LoadedLog: Sendable {
    struct Retained: Sendable {
        let message: ApplicationMessage
        let position: RetainedPosition
    }

    var own = TakenSessions()
    var retained: [Retained] = []
}

extension LogLink {
    /// Connects, makes sure that there is a log, says in it that the node begins, and adds up all of it to that place.
    func load() async throws -> LoadedLog {
        try await prepareStream()
        let connection = try await connect()
        self.connection = connection
        let place = try await begin(connection)
        defer { loading = [:] }
        try await read(from: 1, through: place) { self.add($0, at: $1) }
        if let unreadable {
            // Nobody has to wait for this node, or to write as it reads.
            await withCheckedContinuation { continuation in end { continuation.resume() } }
            throw LogLink.tooNew(unreadable)
        }
        guard state.isLiving(log.beginning(at: 0).identity) else {
            throw FlockError("another process has begun with the name \(options.node) at the same time")
        }
        var loaded = LoadedLog()
        loaded.retained = loading.values.sorted { $0.position < $1.position }
        loaded.own = state.own(now: wallClock())
        return loaded
    }

    private func add(_ batch: FlockBatch, at stream: UInt64) {
        let applied = state.apply(batch, stream: stream, now: 0)
        if applied.isUnreadable { unreadable = batch.version }
        guard applied.counts else { return }
        for (index, record) in batch.records.enumerated() where !applied.refused.contains(index) {
            guard case .append(let append) = record, append.message.isRetained else { continue }
            let topic = ExactText(append.message.topicString)
            let position = LogSequence(stream: stream, index: index)
            loading[topic] =
                append.message.payload.isEmpty
                ? nil : LoadedLog.Retained(message: append.message, position: position)
        }
    }

    // MARK: Connection and stream

    /// Makes sure that there is a stream as the options say.
    private func prepareStream() async throws {
        let client = await NATSClient(options.nats, eventLoop: eventLoop)
        do {
            try await client.connect()
        } catch {
            throw FlockError(LogLink.description(of: error), remedy: .waiting)
        }
        do {
            let check = try await client.checkStream(wantedStream, patience: options.startTimeout)
            await client.close()
            if case .differs(_, let settings) = check { throw differs(settings) }
        } catch let error as NATSError {
            await client.close()
            throw FlockError(streamProblem(error), remedy: .waiting)
        }
    }

    private func streamProblem(_ error: NATSError) -> String {
        if case .noResponders = error {
            return
                "there is no JetStream on the servers: start nats-server with a jetstream section, as in deploy/nats, "
                + "and a cluster with more than half of its servers"
        }
        let problem = "the stream \(options.stream) cannot be made on \(options.replicas) servers: \(error)"
        guard options.replicas > 1 else { return problem }
        return problem + ". Three addresses or more ask for servers that are one cluster, as in "
            + "deploy/nats/cluster.conf; to try things out with one server name one address"
    }

    private static func description(of error: NATSError) -> String {
        switch error {
        case .notConnected(let reason) where reason.isAuthorization:
            "NATS does not let this node in: \(reason). The keys under nats say who it is: user and password-file, "
                + "token-file, nkey-file or credentials-file"
        case .notConnected(.tlsFailed(let reason)):
            "NATS cannot be reached over TLS: \(reason). nats.ca names the authorities that are trusted"
        case .notConnected(.tlsNotOffered):
            "NATS cannot be reached over TLS: the server does not offer it. Configure it there, or write nats:// in place "
                + "of tls://"
        default:
            "NATS cannot be reached: \(error). Is nats-server started with JetStream, and is the address right?"
        }
    }

    private var wantedStream: StreamConfiguration {
        var wanted = StreamConfiguration(name: options.stream, subjects: [subject.description])
        wanted.replicas = options.replicas
        wanted.maximumBytes = options.maximumLogBytes
        // What sessions need may not go for something newer.
        wanted.discard = .new
        wanted.duplicateWindow = options.duplicateWindow
        return wanted
    }

    private func differs(_ settings: [String]) -> FlockError {
        FlockError(
            "the stream \(options.stream) is there with other settings: \(settings.joined(separator: ", ")). "
                + "All nodes of a flock have to name the same servers: three addresses or more keep the stream on 3, fewer "
                + "on 1. To change what is there: `nats stream edit \(options.stream) --replicas=\(options.replicas)`.")
    }

    private func connect() async throws -> NATSConnection {
        let connection = NATSConnection(options.nats, eventLoop: eventLoop)
        let isConnected = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            var waiting: CheckedContinuation<Bool, Never>? = continuation
            _ = connection.addObserver { event in
                switch event {
                case .connected: waiting?.resume(returning: true)
                case .waiting, .closed: waiting?.resume(returning: false)
                case .attemptFailed, .disconnected, .lameDuck: return
                }
                waiting = nil
            }
            connection.start()
        }
        guard isConnected, let info = connection.info else {
            connection.close()
            throw FlockError("NATS cannot be reached any more", remedy: .waiting)
        }
        guard info.maximumPayload >= LogLink.leastPayload else {
            connection.close()
            throw FlockError(
                "the servers take messages of \(info.maximumPayload) bytes at most: set max_payload to 8388608, as in "
                    + "deploy/nats")
        }
        return connection
    }

    /// What a server has to take: a batch, with the largest packet that may come on top.
    private static let leastPayload = 4 << 20

    /// Stores the batch that says that the node begins.
    /// - Returns: its place in the stream.
    private func begin(_ connection: NATSConnection) async throws -> UInt64 {
        let batch = log.beginning(at: wallClock())
        let deadline = ContinuousClock.now + options.startTimeout
        while true {
            let outcome: StoreOutcome = await withCheckedContinuation { continuation in
                connection.store(
                    ByteBuffer(bytes: batch.encoded()), to: subject,
                    conditions: StoreConditions(messageID: batch.identity.messageID), timeout: options.writeTimeout
                ) { continuation.resume(returning: $0) }
            }
            switch outcome {
            case .stored(let acknowledgement): return acknowledgement.sequence
            case .refused(let error) where !error.isTemporary:
                throw FlockError("the stream \(options.stream) takes nothing: \(error)")
            case .refused, .conflict, .noResponders, .notSent, .unknown:
                guard ContinuousClock.now < deadline else {
                    throw FlockError(
                        "the stream \(options.stream) cannot be written to: \(outcome)", remedy: .waiting)
                }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    // MARK: Reading

    /// Reads a part of the log, in order; there is something at `last`.
    private func read(
        from first: UInt64, through last: UInt64, _ body: @escaping (FlockBatch, UInt64) -> Void
    ) async throws {
        guard let connection else { throw FlockError("the log is read before there is a connection") }
        var options = OrderedConsumer.Options(stream: options.stream)
        options.start = first > 1 ? .after(first - 1) : .beginning
        let fault: MalformedRecord? = await withCheckedContinuation { continuation in
            let reading = Reading(continuation)
            reading.consumer = OrderedConsumer(connection, options) { message, delivery in
                guard !reading.isDone else { return }
                let stream = delivery.streamSequence
                do throws(MalformedRecord) {
                    if stream <= last { body(try FlockBatch(message.payload, at: self.wallClock()), stream) }
                } catch {
                    return reading.end(error)
                }
                if stream >= last { reading.end(nil) }
            }
            reading.consumer?.start()
        }
        if let fault { throw FlockError("the log cannot be read: \(fault)") }
    }

    private final class Reading {
        var consumer: OrderedConsumer?
        private var continuation: CheckedContinuation<MalformedRecord?, Never>?

        init(_ continuation: CheckedContinuation<MalformedRecord?, Never>) { self.continuation = continuation }

        var isDone: Bool { continuation == nil }

        func end(_ fault: MalformedRecord?) {
            consumer?.stop()
            consumer = nil
            continuation?.resume(returning: fault)
            continuation = nil
        }
    }
}
