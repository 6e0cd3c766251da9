import DequeModule
import MQTTCodec
import MQTTModel
import MQTTSession

/// A SUBSCRIBE or UNSUBSCRIBE that was asked for and is not answered.
struct ClientEngineRequest {
    enum Kind {
        case subscribe([MQTTClient.Subscription])
        case unsubscribe([String])
    }

    let kind: Kind
    let properties: Properties
    /// The waiter in `requestWaiters`; nil for what the client does by itself.
    let key: UInt64?

    func packet(_ packetIdentifier: PacketIdentifier) -> Packet {
        switch kind {
        case .subscribe(let subscriptions):
            .subscribe(
                Subscribe(
                    packetIdentifier: packetIdentifier, entries: subscriptions.map(\.entry), properties: properties))
        case .unsubscribe(let filters):
            .unsubscribe(Unsubscribe(packetIdentifier: packetIdentifier, filters: filters, properties: properties))
        }
    }
}

extension MQTTClient.Subscription {
    var entry: Subscribe.Entry { Subscribe.Entry(filter: filter, options: options) }
}

extension ClientEngine {
    func subscribe(
        _ subscriptions: [MQTTClient.Subscription], properties: Properties
    ) async throws -> MQTTClient.SubscribeResult {
        for subscription in subscriptions { try check(subscription.filter) }
        guard !subscriptions.isEmpty else { return MQTTClient.SubscribeResult(reasonCodes: [], properties: []) }
        return try await request(.subscribe(subscriptions), properties: properties)
    }

    func unsubscribe(_ filters: [String], properties: Properties) async throws -> MQTTClient.SubscribeResult {
        for filter in filters { try check(filter) }
        guard !filters.isEmpty else { return MQTTClient.SubscribeResult(reasonCodes: [], properties: []) }
        return try await request(.unsubscribe(filters), properties: properties)
    }

    private func check(_ filter: String) throws {
        guard TopicFilter(filter) != nil else {
            throw MQTTClientError(
                .invalidFilter,
                "\"\(filter)\" is no topic filter: + stands for a whole level, # for all levels at the end")
        }
    }

    private func request(
        _ kind: ClientEngineRequest.Kind, properties: Properties
    ) async throws -> MQTTClient.SubscribeResult {
        try await wait(
            begin: { key, continuation in
                do {
                    try checkIsOpen()
                } catch {
                    return continuation.resume(throwing: error)
                }
                requestWaiters.add(key, continuation)
                waitingRequests.append(ClientEngineRequest(kind: kind, properties: properties, key: key))
                sendWaitingRequests()
            },
            forget: { engine, key in
                engine.waitingRequests.removeAll { $0.key == key }
                return engine.requestWaiters.take(key)
            })
    }

    /// Sends what waits, as much as the session takes.
    func sendWaitingRequests() {
        guard !isSendingRequests, !waitingRequests.isEmpty, session.isConnected else { return }
        isSendingRequests = true
        defer { isSendingRequests = false }
        var actions: [ClientAction] = []
        while session.isConnected, let request = waitingRequests.first {
            if let maximum = serverLimits.maximumPacketSize,
                PacketEncoder.encodedLength(request.packet(1), version: session.version) > Int(maximum)
            {
                waitingRequests.removeFirst()
                fail(request, MQTTClientError(.packetTooLarge, "the server takes packets of \(maximum) bytes at most"))
                continue
            }
            do throws(RequestRefusal) {
                sentRequests[try send(request, into: &actions)] = request
                waitingRequests.removeFirst()
            } catch {
                // It goes on when an answer has made room.
                break
            }
        }
        perform(actions)
    }

    private func send(
        _ request: ClientEngineRequest, into actions: inout [ClientAction]
    ) throws(RequestRefusal) -> RequestToken {
        let properties = session.version.hasProperties ? request.properties : []
        switch request.kind {
        case .subscribe(let subscriptions):
            return try session.subscribe(
                subscriptions.map(\.entry), properties: properties, at: now, into: &actions)
        case .unsubscribe(let filters):
            return try session.unsubscribe(filters, properties: properties, at: now, into: &actions)
        }
    }

    private func fail(_ request: ClientEngineRequest, _ error: MQTTClientError) {
        guard let key = request.key else { return }
        requestWaiters.take(key)?.resume(throwing: error)
    }

    func answered(_ token: RequestToken, _ reasonCodes: [ReasonCode], _ properties: Properties) {
        guard let request = sentRequests.removeValue(forKey: token) else { return }
        let result = MQTTClient.SubscribeResult(reasonCodes: reasonCodes, properties: properties)
        switch request.kind {
        case .subscribe(let asked):
            for (subscription, reasonCode) in zip(asked, reasonCodes) where !reasonCode.isError {
                subscriptions.insert(subscription, properties: request.properties)
            }
            if request.key == nil { events.send(.resubscribed(asked, result)) }
        case .unsubscribe(let filters):
            for filter in filters { subscriptions.remove(filter) }
        }
        if let key = request.key { requestWaiters.take(key)?.resume(returning: result) }
    }

    /// The connection ended first: asks again on the next one, unless nobody waits for it any more.
    func unanswered(_ token: RequestToken) {
        guard let request = sentRequests.removeValue(forKey: token) else { return }
        if let key = request.key, !requestWaiters.contains(key) { return }
        unansweredRequests.append(request)
    }

    /// The server has lost the session: everything that was subscribed to is asked for again, before what waits, which
    /// may change it.
    func resubscribe() {
        waitingRequests.removeAll { $0.key == nil }
        let requests = subscriptions.groups().map {
            ClientEngineRequest(kind: .subscribe($0.subscriptions), properties: $0.properties, key: nil)
        }
        waitingRequests.prepend(contentsOf: requests)
    }
}
