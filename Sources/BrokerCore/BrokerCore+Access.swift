import AccessControl
import Backbone
import DequeModule
import MQTTModel
import MQTTSession

/// What a client may do: where the rules are asked, and what happens when they say no.
extension BrokerCore {
    /// What a client with this grant may do; nil: everything.
    func sessionAccess(for grant: AccessGrant, clientIdentifier: String) -> SessionAccess? {
        guard let rules = policy?.rules, !grant.isUnrestricted else { return nil }
        let identity = AccessIdentity(
            clientIdentifier: clientIdentifier, userName: grant.userName, groups: grant.groups,
            certificate: grant.certificate)
        return SessionAccess(identity: identity, granted: grant.rules, rules: rules)
    }

    /// A client that is connected was granted what it asked for, for a while or for good.
    mutating func granted(_ grant: AccessGrant, to session: Session, method: String?, at now: Instant) {
        if let name = grant.userName { session.userName = name }
        session.authentication = method.map { SessionAuthentication(method: $0, userName: grant.userName) }
        setGrantEnd(grant.lifetime.map { now.advanced(by: $0) } ?? .distantFuture, of: session)
    }

    mutating func setGrantEnd(_ instant: Instant, of session: Session) {
        if session.grantEndsAt != .distantFuture { abandonDeadline() }
        session.grantEndsAt = instant
        guard instant != .distantFuture else { return }
        arm(.grantExpiry(slot: session.slot, generation: session.generation, at: instant), at: instant)
    }

    /// Other rules hold: what they do not allow ends, for sessions whose client is away, too.
    mutating func accessChanged(to policy: AccessPolicy, at now: Instant, into effects: inout Effects) {
        self.policy = policy
        guard let rules = policy.rules else { return }
        for slot in sessions.slots.indices {
            guard let session = sessions.slots[slot], let access = session.access else { continue }
            access.rulesChanged(to: rules)
            applyAccess(to: session, includingInflight: false, into: &effects)
        }
    }

    /// Ends the subscriptions that the session may not have. What waits in it and may not be received is dropped when its
    /// turn comes.
    ///
    /// - Parameter includingInflight: also what was sent on an earlier connection and would be sent again: whoever has the
    ///   session now may be somebody else.
    mutating func applyAccess(to session: Session, includingInflight: Bool, into effects: inout Effects) {
        guard let access = session.access else { return sessions.updatePath(of: session) }
        var changes: [SessionChange] = []
        for string in Array(session.filters.all) {
            guard let filter = TopicFilter(string), !access.permitSubscribing(to: filter.pattern) else { continue }
            removeSubscription(string, of: session, into: &effects)
            _ = session.filters.remove(string)
            counters.subscriptionsRevoked += 1
            report(.subscriptionRevoked(clientIdentifier: session.clientIdentifier, filter: string), into: &effects)
            if isNoted(filter, of: session) {
                changes.append(.unsubscribed(clientIdentifier: session.clientIdentifier, filter: string, through: nil))
            }
        }
        if !changes.isEmpty { note(changes, into: &effects) }
        if includingInflight { dropInflight(of: session, into: &effects) }
        sessions.updatePath(of: session)
    }

    private mutating func dropInflight(of session: Session, into effects: inout Effects) {
        guard let access = session.access else { return }
        for entry in session.inflight.entries {
            guard let message = entry.message, !access.permitReceiving(message.topic) else { continue }
            counters.deliveriesDenied += 1
            session.inflight.abandon(entry.packetIdentifier)
            finished(entry, of: session, into: &effects)
        }
    }

    /// Whether a message may go to the client of a session that restricts what it is sent; counts it if not.
    mutating func mayReceive(_ message: ApplicationMessage, _ session: Session) -> Bool {
        guard session.access?.permitReceiving(message.topic) == false else { return true }
        counters.deliveriesDenied += 1
        return false
    }

    /// The client may not publish this: a 5.0 client is told, a 3.x client cannot be.
    mutating func publishDenied(
        _ message: ApplicationMessage, _ acknowledgement: PublishAcknowledgement, from session: Session,
        at now: Instant, into effects: inout Effects
    ) {
        counters.publishesDenied += 1
        report(
            .publishDenied(clientIdentifier: session.clientIdentifier, topic: message.topicString), into: &effects)
        if session.online?.version == .v5_0 {
            acknowledge(acknowledgement, .notAuthorized, session: session, into: &effects)
        } else if policy?.deniedPublish == .close {
            if case .pubRec(_, let identifier) = acknowledgement { _ = session.finishReceived(identifier) }
            disconnect(session, reasonCode: .notAuthorized, at: now, into: &effects)
        } else {
            acknowledge(acknowledgement, .success, session: session, into: &effects)
        }
    }

    mutating func subscriptionDenied(_ filter: TopicFilter, of session: Session, into effects: inout Effects) {
        counters.subscriptionsDenied += 1
        report(
            .subscriptionDenied(clientIdentifier: session.clientIdentifier, filter: filter.string), into: &effects)
    }
}
