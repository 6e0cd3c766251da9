package import NATSProtocol
package import NIOCore
import NIOPosix
import NIOSSL

/// A client's connection to a cluster: one network connection after another, what is published into it, what is
/// subscribed to, and the requests that wait for an answer.
///
/// Confined to its event loop: every call is made on it, and every handler is called on it. What is published in a tick
/// of the loop leaves with one write. Nothing is kept for later while there is no connection: a publication is answered
/// with `notConnected`, and whoever cannot lose it keeps it; subscriptions are made again at each connection.
///
/// A request whose answer does not come is `unknown`, not failed: the server may have done what it asked for.
package final class NATSConnection {
    package let eventLoop: any EventLoop
    package let options: NATSOptions
    /// Called for each event, after the connection's own state has changed.
    package var eventHandler: ((ConnectionEvent) -> Void)?
    /// What the server complains of without closing: a permission that is missing.
    package var complaintHandler: ((String) -> Void)?

    var machine: ConnectionMachine
    var link: NetworkLink?
    var linkNumber: UInt64 = 0
    var deadlineTask: (task: Scheduled<Void>, due: Duration)?
    var requestTask: (task: Scheduled<Void>, due: Duration)?
    var isPerforming = false
    var pendingActions: [ConnectionAction] = []
    var random = SystemRandomNumberGenerator()

    var outbound = ByteBuffer()
    var isFlushScheduled = false
    var subscriptions = SlotTable<Subscription>()
    var requests = RequestTable()
    /// Who waits for a PONG, in the order of the PINGs; nil for the connection's own.
    var pongWaiters: [((Bool) -> Void)?] = []
    package internal(set) var counters = Counters()
    /// Observers of connection events inside the client: they restore what a new connection has to know.
    var observers = SlotTable<(ConnectionEvent) -> Void>()

    /// What passed since the connection object was made.
    package struct Counters: Hashable, Sendable {
        package var published: UInt64 = 0
        package var publishedBytes: UInt64 = 0
        package var received: UInt64 = 0
        package var receivedBytes: UInt64 = 0
        package var connections: UInt64 = 0
        /// Publications that were answered with `bufferFull`.
        package var bufferFull: UInt64 = 0
    }

    /// On `eventLoop`.
    package init(_ options: NATSOptions, eventLoop: any EventLoop) {
        self.options = options
        self.eventLoop = eventLoop
        let servers = options.isServerOrderRandom ? options.servers.shuffled(using: &random) : options.servers
        machine = ConnectionMachine(servers: servers, policy: options.reconnect, tlsMode: options.tlsMode)
        requests.inbox = NATSConnection.makeInbox(using: &random)
        subscribeToAnswers()
    }

    /// What the server said of itself; nil while there is no connection.
    package var info: ServerInfo? { machine.info }
    package var isConnected: Bool { machine.isConnected }
    /// Bytes that were published and have not left.
    package var pendingBytes: Int { outbound.readableBytes + (link?.unwrittenBytes ?? 0) }

    /// Connects, and stays connected from then on.
    package func start() { perform(machine.start(at: now)) }

    /// Ends the connection for good. What was published leaves first, as far as the network takes it.
    package func close() {
        flushNow()
        perform(machine.close())
    }

    /// Calls `body` for each event until the answer is given to `removeObserver`.
    package func addObserver(_ body: @escaping (ConnectionEvent) -> Void) -> UInt64 { observers.insert(body) }

    package func removeObserver(_ number: UInt64) { _ = observers.remove(number) }

    /// A subject that only this client listens to.
    package func makeInbox() -> Subject { NATSConnection.makeInbox(using: &random) }

    private static func makeInbox(using random: inout some RandomNumberGenerator) -> Subject {
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        let name = (0..<22).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] }
        return Subject(unchecked: Array("_INBOX.".utf8) + name)
    }

    /// Since the origin of the loop's clock.
    var now: Duration { .nanoseconds(Int64(eventLoop.now.uptimeNanoseconds)) }
}
