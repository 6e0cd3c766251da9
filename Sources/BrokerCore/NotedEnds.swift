import Backbone
import MQTTModel

/// Notes on which no answer to a client depends and which nobody would make again: that a connection or a session has
/// ended, and wills. When the backbone does not take one, it is made again after a while.
///
/// Bounded by the sessions that the backbone has.
struct NotedEnds {
    /// By the command that notes it: the client identifier.
    var pending: [BackboneToken: ExactText] = [:]
    /// To be noted again, in order, each once.
    var clients: [ExactText] = []
    var known: Set<ExactText> = []
    var wills: [(message: ApplicationMessage, publisher: PublisherReference, willOf: String?)] = []
    var isArmed = false
}

extension BrokerCore {
    /// Time until it is tried again.
    private static let noteAgainDelay: Duration = .seconds(1)

    mutating func noteEnd(of clientIdentifier: String, _ change: SessionChange, into effects: inout Effects) {
        let token = makeToken()
        noting.pending[token] = ExactText(clientIdentifier)
        effects.all.append(.execute(token, .store([change])))
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
        let (clients, wills) = (noting.clients, noting.wills)
        noting.clients = []
        noting.known = []
        noting.wills = []
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
