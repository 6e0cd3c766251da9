package import MQTTModel

/// An engine that keeps what it is told, on a disk or on other nodes. It answers later, from a thread of its own.
package protocol BackboneEngine: Sendable {
    /// Gives everything that survived: the sessions, then the retained messages, then the log in order, each message of it
    /// with the shared subscriptions that are not done with it. Once, before `start`; throws a text for people.
    func restore(
        session: (RestoredSession) -> Void, retained: (ApplicationMessage, RetainedPosition) -> Void,
        entry: (LogEntry, [SharedGroup]) -> Void
    ) throws

    /// Starts to take commands. `onCommit` is called with all that is settled at a time, in order of submission; from
    /// another thread with the answers to `fetch`. Then, when the bounds of the log have cost messages that sessions may
    /// still want, `onDropped` is called with the sequence up to which nothing is left.
    func start(
        onCommit: @escaping @Sendable ([Settled]) -> Void, onDropped: @escaping @Sendable (LogSequence) -> Void) throws

    /// Takes a command, from any thread, without waiting. The answer has the same `submitter` and `token`.
    func submit(_ command: BackboneCommand, submitter: UInt16, token: BackboneToken)

    /// Settles what was submitted and ends. Waits.
    func stop()

    /// For metrics and `/ready`. From any thread, without waiting.
    var report: EngineReport { get }

    /// Whether other nodes share it: then sessions move between them.
    var isShared: Bool { get }

    /// Hands a message to every other node, for whoever wants it there at this moment, and to one member of each shared
    /// subscription, wherever it is. It may get lost.
    func broadcast(_ message: ApplicationMessage)

    /// Calls the handler with what is for this node of it. Before `start`.
    func onBroadcast(_ handler: @escaping @Sendable ([Broadcast]) -> Void)

    /// What this node tells the others of itself from now on.
    func announce(_ facts: NodeFacts)

    /// The nodes that share it, this one included, by name; empty when nobody does.
    var nodes: [NodeSighting] { get }

    /// Has another node do something. The answer comes from another thread.
    func give(_ order: NodeOrder, to node: String, answer: @escaping @Sendable (NodeAnswer) -> Void)

    /// Calls the handler with orders that come by other nodes, and with whom to tell what became of it. Before `start`.
    func onOrder(_ handler: @escaping @Sendable (NodeOrder, @escaping @Sendable (NodeAnswer) -> Void) -> Void)
}

extension BackboneEngine {
    package var isShared: Bool { false }
    package func broadcast(_ message: ApplicationMessage) {}
    package func onBroadcast(_ handler: @escaping @Sendable ([Broadcast]) -> Void) {}
    package func announce(_ facts: NodeFacts) {}
    package var nodes: [NodeSighting] { [] }
    package func give(_ order: NodeOrder, to node: String, answer: @escaping @Sendable (NodeAnswer) -> Void) {
        answer(.noAnswer("this broker is not in a flock"))
    }
    package func onOrder(
        _ handler: @escaping @Sendable (NodeOrder, @escaping @Sendable (NodeAnswer) -> Void) -> Void
    ) {}
}

/// A command that is settled: its answer, and what every shard has to be told before it.
package struct Settled: Sendable {
    /// The shard that asked.
    package let submitter: UInt16
    package let token: BackboneToken
    package let outcome: BackboneOutcome
    /// For an `append` that is `done`.
    package let entry: LogEntry?
    /// For a `fetch`: what the log has of it. The messages are nobody else's; their `receivedAt` is the caller's to set,
    /// and their expiry interval is what is left of it.
    package let found: [LogEntry]?
    /// For a `claim` that is `done`; or, asked for by nobody, those of a node that has ended.
    package let taken: TakenSessions?
    /// A client that another node has from here on.
    package let lost: String?
    /// Messages of the log, without their content, that shared subscriptions have given to members here after others did
    /// not take them.
    package let passed: [LogEntry]

    package init(
        submitter: UInt16, token: BackboneToken, outcome: BackboneOutcome, entry: LogEntry?, found: [LogEntry]? = nil,
        taken: TakenSessions? = nil, lost: String? = nil, passed: [LogEntry] = []
    ) {
        self.submitter = submitter
        self.token = token
        self.outcome = outcome
        self.entry = entry
        self.found = found
        self.taken = taken
        self.lost = lost
        self.passed = passed
    }

    /// What another node has put into the log: every shard has to be told, and nobody is answered.
    package init(told entry: LogEntry) {
        self.init(submitter: Settled.nobody, token: BackboneToken(rawValue: 0), outcome: .done, entry: entry)
    }

    /// Sessions that are this node's because another node has ended.
    package init(adopted: TakenSessions) {
        self.init(
            submitter: Settled.nobody, token: BackboneToken(rawValue: 0), outcome: .done, entry: nil, taken: adopted)
    }

    /// Another node has the client from here on.
    package init(lost client: String) {
        self.init(
            submitter: Settled.nobody, token: BackboneToken(rawValue: 0), outcome: .done, entry: nil, lost: client)
    }

    /// Messages that members here get in place of others.
    package init(passed: [LogEntry]) {
        self.init(
            submitter: Settled.nobody, token: BackboneToken(rawValue: 0), outcome: .done, entry: nil, passed: passed)
    }

    private static let nobody: UInt16 = .max

    package var isTold: Bool { submitter == Settled.nobody }
}
