package import MQTTModel

/// A SUBSCRIBE or UNSUBSCRIBE that waits for its answer.
struct ClientRequest {
    enum Kind { case subscribe, unsubscribe }

    let kind: Kind
    let token: RequestToken
    let packetIdentifier: PacketIdentifier
    let filterCount: Int
}

// Subscriptions (sections 3.8 to 3.11). The session does not remember them: the server does, and who has to subscribe
// anew after `sessionDiscarded` knows what to.
extension ClientSession {
    package mutating func subscribe(
        _ entries: [Subscribe.Entry], properties: Properties = [], at now: Instant, into actions: inout [ClientAction]
    ) throws(RequestRefusal) -> RequestToken {
        let request = try makeRequest(.subscribe, filterCount: entries.count)
        let packet = Subscribe(
            packetIdentifier: request.packetIdentifier, entries: entries, properties: properties)
        send(.subscribe(packet), at: now, into: &actions)
        return request.token
    }

    package mutating func unsubscribe(
        _ filters: [String], properties: Properties = [], at now: Instant, into actions: inout [ClientAction]
    ) throws(RequestRefusal) -> RequestToken {
        let request = try makeRequest(.unsubscribe, filterCount: filters.count)
        let packet = Unsubscribe(
            packetIdentifier: request.packetIdentifier, filters: filters, properties: properties)
        send(.unsubscribe(packet), at: now, into: &actions)
        return request.token
    }

    private mutating func makeRequest(
        _ kind: ClientRequest.Kind, filterCount: Int
    ) throws(RequestRefusal) -> ClientRequest {
        precondition(
            filterCount > 0, "a SUBSCRIBE or UNSUBSCRIBE has at least one filter [MQTT-3.8.3-2, MQTT-3.10.3-2]")
        guard isConnected else { throw .notConnected }
        guard requests.count < limits.maximumPendingRequests else { throw .tooManyRequests }
        let request = ClientRequest(
            kind: kind, token: RequestToken(number: makeToken()), packetIdentifier: makePacketIdentifier(),
            filterCount: filterCount)
        requests.append(request)
        return request
    }

    func hasRequest(_ packetIdentifier: PacketIdentifier) -> Bool {
        requests.contains { $0.packetIdentifier == packetIdentifier }
    }

    mutating func subAckReceived(_ packet: SubAck, at now: Instant, into actions: inout [ClientAction]) {
        guard let request = takeRequest(.subscribe, packet.packetIdentifier) else {
            return violationReceived(
                .protocolError("MQTT-3.8.4-2", "a SUBACK that answers no SUBSCRIBE"), at: now, into: &actions)
        }
        guard packet.reasonCodes.count == request.filterCount else {
            actions.append(.report(.requestUnanswered(request.token)))
            return violationReceived(
                .protocolError("MQTT-3.8.4-6", "a SUBACK with more or fewer reason codes than filters"), at: now,
                into: &actions)
        }
        actions.append(.report(.subscribed(request.token, packet)))
    }

    mutating func unsubAckReceived(_ packet: UnsubAck, at now: Instant, into actions: inout [ClientAction]) {
        guard let request = takeRequest(.unsubscribe, packet.packetIdentifier) else {
            return violationReceived(
                .protocolError("MQTT-3.10.4-4", "an UNSUBACK that answers no UNSUBSCRIBE"), at: now, into: &actions)
        }
        guard !version.hasProperties || packet.reasonCodes.count == request.filterCount else {
            actions.append(.report(.requestUnanswered(request.token)))
            return violationReceived(
                .protocolError("MQTT-3.11.3-1", "an UNSUBACK with more or fewer reason codes than filters"), at: now,
                into: &actions)
        }
        actions.append(.report(.unsubscribed(request.token, packet)))
    }

    private mutating func takeRequest(
        _ kind: ClientRequest.Kind, _ packetIdentifier: PacketIdentifier
    ) -> ClientRequest? {
        guard
            let index = requests.firstIndex(where: { $0.packetIdentifier == packetIdentifier && $0.kind == kind })
        else { return nil }
        return requests.remove(at: index)
    }
}
