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
        case .ended(let client): try end(client)
        case .subscribed(let client, let filter, let options, let identifier):
            try subscribe(client, filter: filter, options: options, identifier: identifier)
        case .unsubscribed(let client, let filter): try unsubscribe(client, filter: filter)
        case .released(let exchange):
            guard let key = try sessionKey(exchange.clientIdentifier.string) else { return }
            try statements.session.deleteReceived.bind(1, key).bind(2, exchange.packetIdentifier).run()
        case .sending(let client, let sequence, let packetIdentifier):
            guard let key = try sessionKey(client) else { return }
            try statements.session.putSent.bind(1, key).bind(2, sequence).bind(3, packetIdentifier).bind(
                4, takePosition()
            )
            .run()
        case .handedOver(let client, let sequence):
            guard let key = try sessionKey(client) else { return }
            try statements.session.setHandedOver.bind(1, key).bind(2, sequence).run()
        case .finished(let client, let sequence):
            guard let key = try sessionKey(client) else { return }
            guard sequence < .firstCopy else {
                // No cursor will ever pass it.
                try statements.session.deleteSent.bind(1, key).bind(2, sequence).run()
                return
            }
            try statements.session.putFinished.bind(1, key).bind(2, sequence).bind(3, takePosition()).run()
        case .advanced(let client, let sequence):
            guard let key = try sessionKey(client) else { return }
            advance(key, through: sequence)
        case .groupFinished(let group, let sequence): try finish(group, sequence: sequence)
        }
    }

    private func takePosition() -> Int64 {
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
        try statements.session.setConnected.bind(1, key).bind(2, expiryInterval).run()
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

    /// New options of a subscription leave it where it is: what it has wanted so far, it wants still.
    private func subscribe(
        _ client: String, filter: String, options: SubscriptionOptions, identifier: UInt32
    ) throws(StoreFault) {
        guard let key = try sessionKey(client) else { return }
        try filter.withBytes { filter throws(StoreFault) in
            try statements.session.putSubscription.bind(1, key).bind(2, bytes: filter).bind(3, takePosition())
                .bind(4, options.rawValue).bind(5, identifier).bind(6, state.lastSequence).run()
        }
    }

    private func unsubscribe(_ client: String, filter: String) throws(StoreFault) {
        guard let key = try sessionKey(client) else { return }
        try filter.withBytes { filter throws(StoreFault) in
            try statements.session.deleteSubscription.bind(1, key).bind(2, bytes: filter).run()
        }
    }
}
