package import NATSProtocol
import NIOCore

/// Follows a stream from a point on, in order and without a gap, over any number of connections and leaders: the server
/// pushes, and what is missing is asked for again. Whoever makes one keeps it. Confined to the connection's event loop.
package final class OrderedConsumer {
    /// What to follow.
    package struct Options: Sendable {
        package var stream: String
        /// Overlapping ones are refused by the server; none: everything.
        package var filters: [SubjectFilter] = []
        package var start = Start.beginning
        package var heartbeat: Duration = .seconds(1)
        /// Without the payload and with its size in a header.
        package var headersOnly = false

        package init(stream: String) { self.stream = stream }
    }

    package enum Start: Hashable, Sendable {
        case beginning
        /// Behind this sequence.
        case after(UInt64)
        /// Each subject's last message first.
        case lastPerSubject
    }

    /// A message, and what JetStream says of it.
    package typealias Handler = (_ message: NATSMessage, _ delivery: DeliverySubject) -> Void

    private static let creationTimeout = Duration.seconds(2)

    private let connection: NATSConnection
    private let options: Options
    private let handler: Handler
    private let eventHandler: (OrderedConsumerMachine.Event) -> Void
    private var machine: OrderedConsumerMachine
    private var observer: UInt64?
    private var subscription: SubscriptionID?
    private var name = ""
    private var deadlineTask: (task: Scheduled<Void>, due: Duration)?
    private var isStopped = false

    /// On the connection's event loop, where the handlers are called, too.
    ///
    /// - Parameter eventHandler: is told of each interruption, and of the start after it.
    package init(
        _ connection: NATSConnection, _ options: Options,
        eventHandler: @escaping (OrderedConsumerMachine.Event) -> Void = { _ in }, handler: @escaping Handler
    ) {
        self.connection = connection
        self.options = options
        self.handler = handler
        self.eventHandler = eventHandler
        let start: UInt64 = if case .after(let sequence) = options.start { sequence } else { 0 }
        machine = OrderedConsumerMachine(after: start, heartbeat: options.heartbeat)
    }

    /// The sequence of the last message that was delivered.
    package var lastSequence: UInt64 { machine.lastStreamSequence }
    package var isFollowing: Bool { machine.isFollowing }

    /// Starts to follow, now or as soon as there is a connection.
    package func start() {
        guard observer == nil, !isStopped else { return }
        observer = connection.addObserver { [weak self] event in
            guard let self else { return }
            switch event {
            case .connected: self.perform(self.machine.connected(at: self.connection.now))
            case .disconnected, .closed: self.perform(self.machine.disconnected())
            case .attemptFailed, .waiting, .lameDuck: break
            }
        }
        if connection.isConnected { perform(machine.connected(at: connection.now)) }
    }

    /// Nothing reaches the handler after this call.
    package func stop() {
        isStopped = true
        if let observer { connection.removeObserver(observer) }
        deadlineTask?.task.cancel()
        deadlineTask = nil
        dropConsumer()
    }

    private func perform(_ actions: [OrderedConsumerMachine.Action]) {
        for action in actions where !isStopped {
            switch action {
            case .create(let generation, let sequence): create(generation, from: sequence)
            case .report(let event): eventHandler(event)
            }
        }
        scheduleDeadline()
    }

    // MARK: The consumer on the server

    private func create(_ generation: UInt64, from sequence: UInt64) {
        dropConsumer()
        let inbox = connection.makeInbox()
        subscription = connection.subscribe(SubjectFilter(inbox)) { [weak self] in self?.received($0) }
        let inboxName = inbox.bytes.dropFirst("_INBOX.".utf8.count)
        name = "ordered_\(String(decoding: inboxName, as: UTF8.self))"
        let request = ConsumerCreation(options, deliverTo: inbox, from: sequence)
        connection.askJetStream(
            "CONSUMER.CREATE.\(options.stream).\(name)", request, timeout: OrderedConsumer.creationTimeout,
            for: CreatedConsumer.self
        ) { [weak self] result in
            guard let self, self.machine.generation == generation, !self.isStopped else { return }
            let now = self.connection.now
            switch result {
            case .success(let consumer): self.perform(self.machine.created(pending: consumer.pending, at: now))
            case .failure: self.perform(self.machine.creationFailed(at: now))
            }
        }
    }

    private func dropConsumer() {
        guard let subscription else { return }
        connection.unsubscribe(subscription)
        self.subscription = nil
        // The server drops it by itself, too, but only after a while.
        if let subject = Subject("$JS.API.CONSUMER.DELETE.\(options.stream).\(name)") {
            connection.publish(ByteBuffer(), to: subject)
        }
    }

    private func received(_ message: NATSMessage) {
        let delivery = message.withReply { DeliverySubject($0) }
        if let delivery {
            if machine.accepts(delivery, at: connection.now) {
                handler(message, delivery)
                if delivery.pending == 0, !machine.isCaughtUp { perform(machine.caughtUp()) }
            } else {
                perform(machine.gapFound(at: connection.now))
            }
        } else if message.status == 100, let headers = message.headers {
            // Flow control waits for an answer: an empty message to its subject, which a stalled consumer's heartbeat
            // names in a header.
            if let subject = message.reply ?? headers["Nats-Consumer-Stalled"].flatMap({ Subject($0) }) {
                connection.publish(ByteBuffer(), to: subject)
            }
            let last = headers.number("Nats-Last-Consumer")
            perform(machine.heartbeatReceived(lastConsumerSequence: last, at: connection.now))
        }
    }

    private func scheduleDeadline() {
        guard let due = machine.deadline, !isStopped else { return }
        if let deadlineTask, deadlineTask.due <= due { return }
        deadlineTask?.task.cancel()
        let delay = TimeAmount.nanoseconds(max(due - connection.now, .zero).nanoseconds)
        let task = connection.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            self.deadlineTask = nil
            self.perform(self.machine.deadlineReached(at: self.connection.now))
        }
        deadlineTask = (task, due)
    }
}
