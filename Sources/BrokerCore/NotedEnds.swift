import Backbone
import MQTTModel

/// Notes on which no answer to a client depends and which nobody would make again: that a connection or a session has
/// ended, and wills. When the backbone does not take one, it is made again after a while.
///
/// Bounded by the sessions that the backbone has.
struct NotedEnds {
    /// By the command that notes it: the client identifier.
    var pending: [BackboneToken: ExactText] = [:]
    /// The same for exchanges that are finished.
    var finishes: [BackboneToken: NotedFinish] = [:]
    /// To be noted again.
    var failedFinishes: [NotedFinish] = []
    /// Likewise, in order, each once.
    var clients: [ExactText] = []
    var known: Set<ExactText> = []
    var wills: [(message: ApplicationMessage, publisher: PublisherReference, willOf: String?)] = []
    var isArmed = false
}

/// The end of an exchange by a shared subscription.
struct NotedFinish {
    let changes: [SessionChange]
    let slot: UInt32
    let generation: UInt32
    let sequence: LogSequence
}

extension BrokerCore {
    /// Time until it is tried again.
    private static let noteAgainDelay: Duration = .seconds(1)

    mutating func noteEnd(of clientIdentifier: String, _ change: SessionChange, into effects: inout Effects) {
        let token = makeToken()
        noting.pending[token] = ExactText(clientIdentifier)
        effects.all.append(.execute(token, .store([change])))
    }

    /// Notes that an exchange is finished; until it is noted, the session's cursor stays behind it.
    mutating func noteFinish(
        _ changes: [SessionChange], of session: Session, on sequence: LogSequence, into effects: inout Effects
    ) {
        session.finishing.append(sequence)
        note(
            NotedFinish(
                changes: changes, slot: session.slot, generation: session.generation, sequence: sequence),
            into: &effects)
    }

    private mutating func note(_ finish: NotedFinish, into effects: inout Effects) {
        let token = makeToken()
        noting.finishes[token] = finish
        effects.all.append(.execute(token, .store(finish.changes)))
    }

    mutating func finishAnswered(_ finish: NotedFinish, _ outcome: BackboneOutcome, at now: Instant) {
        guard outcome == .done else {
            noting.failedFinishes.append(finish)
            return armNoteAgain(at: now)
        }
        guard let session = sessions.session(slot: finish.slot, generation: finish.generation),
            let index = session.finishing.firstIndex(of: finish.sequence)
        else { return }
        session.finishing.remove(at: index)
        markCursorDirty(session)
    }

    mutating func noteLater(_ client: ExactText, at now: Instant) {
        if noting.known.insert(client).inserted { noting.clients.append(client) }
        armNoteAgain(at: now)
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
        for finish in failed { note(finish, into: &effects) }
        for client in clients {
            // One that is not noted is another than the one that has ended.
            guard let session = sessions.session(for: client.string), session.isNoted else {
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
