import Backbone
import Flock
import MQTTModel
import NATSClient
import NATSProtocol
import NIOCore

/// What a node takes up when it starts.
struct LoadedLog: Sendable {
    var own = TakenSessions()
    var retained: [RetainedLog.Retained] = []
}

extension LogLink {
    /// Connects, makes sure that there is a log, says in it that the node begins, and adds up all of it to that place.
    func load() async throws -> LoadedLog {
        try await prepareStreams()
        let connection = try await connect()
        self.connection = connection
        let place = try await begin(connection)
        beatWhileLoading(connection)
        var unreadable: UInt8?
        try await readState(through: place) { if $0.isUnreadable { unreadable = $1.version } }
        if let unreadable {
            // Nobody has to wait for this node, or to write as it reads.
            await withCheckedContinuation { continuation in end { continuation.resume() } }
            throw LogLink.tooNew(unreadable)
        }
        guard state.isLiving(log.beginning(at: 0).identity) else {
            throw FlockError("another process has begun with the name \(options.node) at the same time")
        }
        return LoadedLog(own: state.own(now: wallClock()), retained: state.retained.all)
    }

    // MARK: Connection and stream

    /// Makes sure that there are streams as the options say.
    private func prepareStreams() async throws {
        let client = await NATSClient(options.nats, eventLoop: eventLoop)
        do {
            try await client.connect()
        } catch {
            throw FlockError(LogLink.description(of: error), remedy: .waiting)
        }
        for wanted in [logConfiguration, snapshots.configuration(replicas: options.replicas)] {
            do {
                let check = try await client.checkStream(wanted, patience: options.startTimeout)
                if case .differs(_, let settings) = check {
                    await client.close()
                    throw differs(wanted.name, settings)
                }
            } catch let error as NATSError {
                await client.close()
                throw FlockError(streamProblem(wanted.name, error), remedy: .waiting)
            }
        }
        await client.close()
    }

    private func streamProblem(_ stream: String, _ error: NATSError) -> String {
        if case .noResponders = error {
            return
                "there is no JetStream on the servers: start nats-server with a jetstream section, as in deploy/nats, "
                + "and a cluster with more than half of its servers"
        }
        let problem = "the stream \(stream) cannot be made on \(options.replicas) servers: \(error)"
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

    private var logConfiguration: StreamConfiguration {
        var wanted = StreamConfiguration(name: options.stream, subjects: [subject.description])
        wanted.replicas = options.replicas
        wanted.maximumBytes = options.maximumLogBytes
        // What sessions need may not go for something newer.
        wanted.discard = .new
        wanted.duplicateWindow = options.duplicateWindow
        return wanted
    }

    private func differs(_ stream: String, _ settings: [String]) -> FlockError {
        FlockError(
            "the stream \(stream) is there with other settings: \(settings.joined(separator: ", ")). "
                + "All nodes of a flock have to name the same servers: three addresses or more keep the stream on 3, fewer "
                + "on 1. To change what is there: `nats stream edit \(stream) --replicas=\(options.replicas)`.")
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
}
