import Backbone
import MQTTModel

/// Notes on which no answer to a client depends and which nobody would make again: that a connection or a session has
/// ended, and wills. When the backbone does not take one, it is made again after a while.
///
/// Bounded by the sessions that the backbone has.
struct NotedEnds {
    /// By the command that notes it: the client identifier.
    var pending: [BackboneToken: ExactText] = [:]
    /// The same for what groups are done with.
    var finishes: [BackboneToken: [SessionChange]] = [:]
    /// To be noted again, in order.
    var failedFinishes: [[SessionChange]] = []
    /// Likewise, each once.
    var clients: [ExactText] = []
    var known: Set<ExactText> = []
    var wills: [(message: ApplicationMessage, publisher: PublisherReference, willOf: String?)] = []
    var isArmed = false
}

extension BrokerCore {
    /// Time until it is tried again.
    private static let noteAgainDelay: Duration = .seconds(1)

    /// - Parameter finishing: what groups are done with by that, which must be noted with it.
    mutating func noteEnd(
        of clientIdentifier: String, _ change: SessionChange, finishing: [SessionChange] = [],
        into effects: inout Effects
    ) {
        let token = makeToken()
        noting.pending[token] = ExactText(clientIdentifier)
        if !finishing.isEmpty { noting.finishes[token] = finishing }
        effects.all.append(.execute(token, .store(finishing + [change])))
    }

    /// Notes that groups are done with messages, and that the exchanges are finished by which members had them.
    mutating func noteFinish(_ changes: [SessionChange], into effects: inout Effects) {
        let token = makeToken()
        noting.finishes[token] = changes
        effects.all.append(.execute(token, .store(changes)))
    }

    /// - Returns: whether it is the answer to one of these notes.
    mutating func noteAnswered(_ token: BackboneToken, _ outcome: BackboneOutcome, at now: Instant) -> Bool {
        let changes = noting.finishes.removeValue(forKey: token)
        let client = noting.pending.removeValue(forKey: token)
        guard changes != nil || client != nil else { return false }
        // A conflict: another node has the session, and this one's end means nothing to it.
        guard outcome != .done, outcome != .conflict else { return true }
        if let changes { noting.failedFinishes.append(changes) }
        if let client, noting.known.insert(client).inserted { noting.clients.append(client) }
        armNoteAgain(at: now)
        return true
    }

    mutating func armNoteAgain(at now: Instant) {
        guard !noting.isArmed else { return }
        noting.isArmed = true
        arm(.noteAgain, at: now.advanced(by: BrokerCore.noteAgainDelay))
    }

    /// Notes how things are now: a session that has begun anew, or whose client is back, has been noted since.
    mutating func noteAgain(at now: Instant, into effects: inout Effects) {
        noting.isArmed = false
        guard !isShuttingDown else { return }
        let (clients, wills, failed) = (noting.clients, noting.wills, noting.failedFinishes)
        noting.failedFinishes = []
        noting.clients = []
        noting.known = []
        noting.wills = []
        for changes in failed { noteFinish(changes, into: &effects) }
        for client in clients {
            // One that is not noted is another than the one that has ended.
            guard let session = sessions.session(for: client.string) else {
                if options.isInFlock {
                    noteDeparture(of: client.string, into: &effects)
                } else {
                    noteEnd(of: client.string, .ended(clientIdentifier: client.string), into: &effects)
                }
                continue
            }
            guard session.isNoted else {
                noteEnd(of: client.string, .ended(clientIdentifier: client.string), into: &effects)
                continue
            }
            guard session.online == nil else { continue }
            noteEnd(
                of: client.string,
                .disconnected(
                    clientIdentifier: client.string, expiryInterval: session.expiryInterval,
                    willDelay: session.will?.delayInterval), into: &effects)
        }
        for (message, publisher, willOf) in wills {
            if message.expiryInterval != nil { message.receivedAt = now }
            accept(
                message, qos: message.qos, publisher: publisher, acknowledgement: .none, willOf: willOf,
                on: BrokerCore.ownConnection, at: now, into: &effects)
        }
    }
}
