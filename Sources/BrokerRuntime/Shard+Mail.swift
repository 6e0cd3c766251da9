import BrokerCore
import NIOCore

/// Mail that a shard has for another and has not posted yet.
struct Outbox {
    var mail: [Mail] = []
    /// The other's mailbox was full when it was last posted to.
    var isBlocked = false
}

extension Shard {
    /// Mail to one shard that is posted without waiting for the end of the tick.
    private static let earlyPostThreshold = 1024

    func forward(_ message: PeerMessage, to target: Int) {
        outboxes[target].mail.append(.peer(message))
        hasOutgoingMail = true
        scheduleFlush()
        if outboxes[target].isBlocked { pauseUntilRoom() }
        if outboxes[target].mail.count >= Shard.earlyPostThreshold { postOutgoingMail() }
    }

    /// Posts the mail that the effects have put out.
    func postOutgoingMail() {
        hasOutgoingMail = false
        for target in outboxes.indices where !outboxes[target].mail.isEmpty {
            let isFull = allShards[target].post(outboxes[target].mail, from: index)
            outboxes[target].mail.removeAll(keepingCapacity: outboxes[target].mail.count <= Shard.earlyPostThreshold)
            if isFull, !outboxes[target].isBlocked {
                outboxes[target].isBlocked = true
                runtimeCounters.mailboxFull += 1
            }
        }
    }

    /// Puts mail into this shard's mailbox, from any thread; `sender` is told when a full one has room again.
    ///
    /// - Returns: whether it is full now.
    @discardableResult
    func post(_ mail: [Mail], from sender: UInt16) -> Bool {
        let result = mailbox.post(mail, from: sender)
        if result.isFirst { loop.execute { self.mailArrived() } }
        return result.isFull
    }

    private func mailArrived() {
        guard mailbox.hasMail else { return }
        readClock()
        drainMailbox()
    }

    /// Tells the core everything that the other shards have left.
    func drainMailbox() {
        takeMailIntoInputs()
        if !isStepping { stepThroughInputs() }
    }

    /// Moves the mail behind the inputs that wait already. Mail never overtakes mail.
    func takeMailIntoInputs() {
        let waiting = mailbox.take(into: &takenMail)
        for position in takenMail.indices {
            switch exchange(&takenMail[position], with: .room(inShard: index)) {
            case .peer(let message): inputs.append(.peerMessageReceived(message))
            case .entry(let entry): inputs.append(.logAppended(entry))
            case .dropped(let through): inputs.append(.logDropped(through: through))
            case .answer(let token, let outcome): inputs.append(.backboneAnswered(token, outcome))
            case .fetched(let token, let found): inputs.append(.messagesFetched(token, found))
            case .authenticated(let id, let outcome, let client, let user):
                inputs.append(.authenticated(id, confirmed(outcome, client, user, id)))
            case .taken(let token, let taken): inputs.append(.sessionsTaken(token, taken))
            case .passed(let entries): inputs.append(.messagesPassed(entries))
            case .lost(let client): inputs.append(.sessionLost(clientIdentifier: client))
            case .room(let shard): mailboxHasRoom(inShard: Int(shard))
            }
        }
        takenMail.removeAll(keepingCapacity: takenMail.count <= 1 << 14)
        for sender in waiting { allShards[Int(sender)].post([.room(inShard: index)], from: index) }
    }

    // MARK: Full mailboxes

    /// Stops reading from the connection whose packet is being handled: it publishes to a shard that does not keep up.
    private func pauseUntilRoom() {
        guard let id = current?.id, let index = slot(of: id), current?.pauses.contains(.mailboxFull) == false else {
            return
        }
        pause(index, .mailboxFull)
        waitingForRoom.append(id)
    }

    private func mailboxHasRoom(inShard shard: Int) {
        outboxes[shard].isBlocked = false
        // Those that wait for another shard's room find it blocked again at their next packet.
        for id in waitingForRoom {
            if let index = slot(of: id) { resume(index, .mailboxFull) }
        }
        waitingForRoom.removeAll(keepingCapacity: true)
    }
}
