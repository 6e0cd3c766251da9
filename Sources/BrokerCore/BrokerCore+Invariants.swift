import Backbone
import DequeModule
import MQTTSession
import TopicIndex
import MQTTModel

extension BrokerCore {
    package var sessionCount: Int { sessions.count }
    package var connectionCount: Int { connections.openCount }
    package var subscriptionCount: Int { index.subscriptionCount }
    package var retainedCount: Int { retained.count }
    package var pendingFetchCount: Int { log.fetches.count }
    package var pendingAuthenticationCount: Int { authentications.count }
    // Order-free: a sum.
    package var pendingPublishCount: Int { pipelines.values.reduce(0) { $0 + $1.held.count } }

    /// Stops the process when the state contradicts itself. For the simulator and the fuzzer, which call it often;
    /// visits every session.
    package func checkInvariants() {
        var onlineCount = 0
        var filterCount = 0
        var durableCount = 0
        for (slot, session) in sessions.slots.enumerated() {
            guard let session else { continue }
            precondition(session.slot == UInt32(slot), "a session lies in its slot")
            filterCount += session.filters.count
            if session.isDurable { durableCount += 1 }
            checkQueue(of: session)
            guard let online = session.online else {
                precondition(session.isDurable && session.isNoted, "a session without a connection outlives it")
                precondition(sessions.paths[slot].mode == .none, "nothing goes to a session that is away")
                continue
            }
            onlineCount += 1
            precondition(connections.session(of: online.connection) == slot, "a connection knows its session")
            // What is only to be released may be left from another process, with another window.
            let unreleased = session.inflight.entries.count { $0.phase != .awaitingPubComp }
            precondition(unreleased <= Int(limits.maximumInflightMessages), "the window keeps its bound")
            precondition(session.willDueAt == nil, "no will is due while its client is connected")
        }
        precondition(filterCount == index.subscriptionCount, "the index has the sessions' subscriptions and no others")
        precondition(durableCount == sessions.durableCount, "durable sessions are counted")
        precondition(onlineCount <= connections.openCount, "a connected session has a connection")
        precondition(
            authentications.count <= limits.maximumPendingAuthentications, "clients being checked keep their bound")
        precondition(
            authentications.keys.allSatisfy { connections.phase(of: $0) == .admitting },
            "a client that is checked has a connection that waits")
        precondition(
            delayedConnects.keys.allSatisfy { connections.phase(of: $0) == .admitting },
            "a client that waits for its turn has a connection that waits")
        precondition(heldAnswers.values.allSatisfy { $0.connection.slot != .max }, "an answer is for a connection")
        precondition(pendingPublishCount >= pipelineOfToken.count, "a command's publish is held until it is answered")
    }

    private func checkQueue(of session: Session) {
        var copies = session.inflight.entries.count { $0.sequence >= .firstCopy }
        if let queue = session.queue {
            queue.checkInvariants()
            precondition(
                queue.boundedCount - session.interrupted.count <= limits.maximumQueuedMessages,
                "the queue keeps its bound")
            precondition(session.online != nil || session.fetch == .none, "nothing is read for a session that is away")
            copies += queue.all.count { $0.sequence >= .firstCopy }
            copies -= session.interrupted.count { $0.isAnswered && $0.sequence >= .firstCopy }
        } else {
            precondition(session.interrupted.isEmpty, "an interrupted exchange waits for its turn")
        }
        // Order-free: a sum.
        precondition(!session.isDurable || session.wishes.values.reduce(0, +) == copies, "wishes' copies are counted")
    }
}
