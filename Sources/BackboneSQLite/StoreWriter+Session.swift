import Backbone
import MQTTModel

extension StoreWriter {
    /// A change of a session that is not known is none: the session has ended before it.
    func apply(_ change: SessionChange) throws(StoreFault) {
        switch change {
        case .began(let client): try begin(client)
        case .connected(let client, let expiryInterval, let will):
            try connect(client, expiryInterval: expiryInterval, will: will)
        case .disconnected(let client, let expiryInterval, let willDelay):
            try disconnect(client, expiryInterval: expiryInterval, willDelay: willDelay)
        case .ended(let client), .departed(let client): try end(client)
        case .subscribed(let client, let filter, let options, let identifier, let since, let messagesWait):
            try subscribe(
                client, filter: filter, options: options, identifier: identifier, since: since,
                messagesWait: messagesWait)
        case .unsubscribed(let client, let filter, let through):
            try unsubscribe(client, filter: filter, through: through)
        case .wished(let client, let wish): try remember(wish, of: client)
        case .fulfilled(let client, let wish):
            guard let key = try sessionKey(client) else { return }
            try statements.session.deleteWish.bind(1, key).bind(2, wish).run()
            let copies = wish.copiesOfItsWish
            try statements.session.deleteCopies.bind(1, key).bind(2, copies.lowerBound).bind(3, copies.upperBound).run()
        case .released(let exchange):
            guard let key = try sessionKey(exchange.clientIdentifier.string) else { return }
            try statements.session.deleteReceived.bind(1, key).bind(2, exchange.packetIdentifier).run()
        case .sending(let client, let exchange, let packetIdentifier, let topic):
            try send(exchange, under: packetIdentifier, topic: topic, to: client)
        case .handedOver(let client, let exchange): try setPhase(.handedOver, of: exchange, with: client)
        case .finished(let client, let exchange): try finish(exchange, with: client)
        case .advanced(let client, let sequence):
            guard let key = try sessionKey(client) else { return }
            advance(key, through: sequence)
        case .groupFinished(let group, let sequence): try finish(group, sequence: sequence)
        // The members of one node choose for themselves.
        case .groupPassed: break
        }
    }

    func takePosition() -> Int64 {
        defer { state.nextPosition += 1 }
        return state.nextPosition
    }

    /// It wants nothing that is in the log already.
    private func begin(_ client: String) throws(StoreFault) {
        try end(client)
        let key = try insertSession(client)
        advance(key, through: state.lastSequence)
    }

    private func connect(_ client: String, expiryInterval: UInt32, will: Will?) throws(StoreFault) {
        var key = try sessionKey(client)
        if key == nil {
            try begin(client)
            key = try sessionKey(client)
        }
        guard let key else { return }
        try statements.session.setConnected.bind(1, key).bind(2, expiryInterval).bind(3, life.number).run()
        guard let will else {
            try statements.session.deleteWill.bind(1, key).run()
            return
        }
        let message = will.message
        try statements.session.putWill.bind(1, key).bind(2, bytes: message.topic).bind(3, bytes: message.properties)
            .bind(4, bytes: message.payload).bind(5, MessageFlags.pack(message))
            .bind(6, optional: message.expiryInterval.map(Int64.init)).bind(7, will.delayInterval).run()
    }

    private func disconnect(_ client: String, expiryInterval: UInt32, willDelay: UInt32?) throws(StoreFault) {
        guard let key = try sessionKey(client) else { return }
        try statements.session.setDisconnected.bind(1, key).bind(2, expiryInterval)
            .bind(3, optional: WallClock.deadline(expiryInterval, after: now)).run()
        if let willDelay {
            try statements.session.setWillDue.bind(1, key).bind(2, now + Int64(willDelay) * 1000).run()
        } else {
            try statements.session.deleteWill.bind(1, key).run()
        }
    }

    private func end(_ client: String) throws(StoreFault) {
        guard let key = try sessionKey(client) else { return }
        for statement in statements.session.deleteSession { try statement.bind(1, key).run() }
        forgetSession(client, key: key)
    }

    // MARK: Subscriptions

    private func subscribe(
        _ client: String, filter: String, options: SubscriptionOptions, identifier: UInt32, since: LogSequence,
        messagesWait: Bool
    ) throws(StoreFault) {
        guard let key = try sessionKey(client) else { return }
        try filter.withBytes { filter throws(StoreFault) in
            if messagesWait {
                try statements.session.keepSubscription.bind(1, key).bind(2, bytes: filter).bind(3, since)
                    .bind(4, options.rawValue).bind(5, identifier).run()
            }
            try statements.session.putSubscription.bind(1, key).bind(2, bytes: filter).bind(3, takePosition())
                .bind(4, options.rawValue).bind(5, identifier).bind(6, since).run()
        }
    }

    private func unsubscribe(_ client: String, filter: String, through: LogSequence?) throws(StoreFault) {
        guard let key = try sessionKey(client) else { return }
        try filter.withBytes { filter throws(StoreFault) in
            if let through {
                // Options that no subscription has.
                try statements.session.keepSubscription.bind(1, key).bind(2, bytes: filter).bind(3, through).bind(4, -1)
                    .bind(5, -1).run()
            }
            try statements.session.deleteSubscription.bind(1, key).bind(2, bytes: filter).run()
        }
    }

    private func remember(_ wish: RetainedWish, of client: String) throws(StoreFault) {
        guard let key = try sessionKey(client) else { return }
        try wish.pattern.withBytes { pattern throws(StoreFault) in
            try statements.session.putWish.bind(1, key).bind(2, wish.number).bind(3, bytes: pattern)
                .bind(4, wish.options.rawValue).bind(5, wish.identifier).bind(6, state.lastSequence)
                .bind(7, takePosition()).run()
        }
    }

    // MARK: Exchanges

    private func send(
        _ exchange: SentExchange, under packetIdentifier: PacketIdentifier, topic: ExactText?, to client: String
    ) throws(StoreFault) {
        guard let key = try sessionKey(client) else { return }
        let statement = statements.session.putSent.bind(1, key).bind(2, exchange.sequence).bind(4, packetIdentifier)
            .bind(5, takePosition())
        try exchange.share.withBytes { share throws(StoreFault) in
            guard let topic else { return try statement.bind(3, bytes: share).bind(6, optional: nil).run() }
            try topic.string.withBytes { topic throws(StoreFault) in
                try statement.bind(3, bytes: share).bind(6, bytes: topic).run()
            }
        }
    }

    private func setPhase(
        _ phase: RestoredSession.Sent.Phase, of exchange: SentExchange, with client: String
    ) throws(StoreFault) {
        guard let key = try sessionKey(client) else { return }
        try exchange.share.withBytes { share throws(StoreFault) in
            try statements.session.setPhase.bind(1, key).bind(2, exchange.sequence).bind(3, bytes: share)
                .bind(4, phase.rawValue).run()
        }
    }

    /// What is finished is remembered as long as a restart would otherwise begin it again: a message of the log until the
    /// cursor passes it, a copy until its wish is fulfilled, a shared message not at all, for the group is done with it.
    private func finish(_ exchange: SentExchange, with client: String) throws(StoreFault) {
        guard let key = try sessionKey(client) else { return }
        if exchange.sequence >= .firstCopy { return try setPhase(.finished, of: exchange, with: client) }
        guard exchange.group == nil else {
            return try exchange.share.withBytes { share throws(StoreFault) in
                try statements.session.deleteSent.bind(1, key).bind(2, exchange.sequence).bind(3, bytes: share).run()
            }
        }
        try statements.session.putFinished.bind(1, key).bind(2, exchange.sequence).bind(3, takePosition()).run()
    }
}

extension SentExchange {
    /// The filter of the shared subscription, as the table `sent` has it.
    fileprivate var share: String { group.map { "$share/\($0.name)/\($0.pattern)" } ?? "" }
}
