import MQTTBridge
import MQTTCodec
import MQTTModel

// What a step may do.
extension BridgeCheck {
    /// Actions of one step: the releases of a lost session come a thousand at a time.
    private static let maximumActions = 3_000

    mutating func step(_ input: BridgeInput) throws(Failure) {
        finish(input)
        var actions: [BridgeAction] = []
        bridge.step(input, at: now, using: &random, into: &actions)
        guard actions.count <= Self.maximumActions else {
            throw Failure(description: "\(actions.count) actions at once")
        }
        let isDropped = actions.contains(where: Self.dropsMessage)
        for action in actions { try judge(action, of: input, isDropped) }
        // One message more than there is room for ends the link.
        guard bridge.waitingBytes <= 2 * (options.maximumPendingBytes + 1_024) else {
            throw Failure(description: "\(bridge.waitingBytes) bytes wait")
        }
    }

    /// Whether a message is not passed on, or so that nothing more is heard of it.
    private static func dropsMessage(_ action: BridgeAction) -> Bool {
        switch action {
        case .report(.messageUnmatched), .report(.messageTooLarge), .report(.loopStopped): true
        case .send(.publish(let publish), _): publish.qos == .atMostOnce
        default: false
        }
    }

    /// What the input ends at its broker.
    private mutating func finish(_ input: BridgeInput) {
        guard case .packetReceived(let packet, let side) = input else { return }
        switch packet {
        case .subAck(let packet): subscribes[side]?.remove(packet.packetIdentifier)
        case .acknowledgement(let packet)
        where packet.kind == .pubAck || packet.kind == .pubComp || packet.kind == .pubRec && packet.reasonCode.isError:
            publishes[side]?.remove(packet.packetIdentifier)
        default: break
        }
    }

    private mutating func judge(_ action: BridgeAction, of input: BridgeInput, _ isDropped: Bool) throws(Failure) {
        switch action {
        case .open(let side, _):
            guard phases[side] == nil else { throw Failure(description: "two connections to \(side)") }
            phases[side] = .asked
        case .connect(_, let side, _):
            guard phases[side] == .opened else { throw Failure(description: "CONNECT without a connection") }
            phases[side] = .greeted
        case .close(let side):
            phases[side] = nil
            publishes[side] = []
            subscribes[side] = []
            releases[side] = []
        case .report(let event): outcome.insert(String("\(event)".prefix { $0 != "(" }))
        case .send(let packet, let side):
            guard phases[side] == .relaying else { throw Failure(description: "\(packet) to \(side), which is closed") }
            try judge(packet, to: side, of: input, isDropped)
        }
    }

    private mutating func judge(_ packet: Packet, to side: BridgeSide, of input: BridgeInput, _ isDropped: Bool)
        throws(Failure)
    {
        switch packet {
        case .publish(let publish): try judge(publish, to: side)
        case .subscribe(let packet):
            let identifier = packet.packetIdentifier
            guard publishes[side]?.contains(identifier) != true,
                subscribes[side, default: []].insert(identifier).inserted
            else { throw Failure(description: "SUBSCRIBE \(identifier) to \(side), which is in use") }
        case .acknowledgement(let packet):
            if packet.kind == .pubRel { releases[side, default: []].append(packet.packetIdentifier) }
            guard isDue(packet, to: side, after: input, isDropped) else {
                throw Failure(
                    description: "\(packet.kind) \(packet.packetIdentifier) to \(side), which nobody has said: \(input)"
                )
            }
        case .pingReq, .disconnect: break
        default: throw Failure(description: "\(packet) to \(side)")
        }
    }

    private mutating func judge(_ publish: Publish, to side: BridgeSide) throws(Failure) {
        let target = side == .local ? options.localName : options.remoteName
        for case .userProperty("dunlin-bridge-path", let path) in ForwardedProperties.decode(publish.message.properties)
            .all
        {
            let names = path.split(separator: ",").map(String.init)
            guard target.map(names.contains) != true, Set(names).count == names.count || options.localName == nil,
                names.count <= options.maximumHops
            else { throw Failure(description: "to \(side) after \(path)") }
        }
        guard publish.qos != .atMostOnce else { return }
        let identifier = publish.packetIdentifier
        guard subscribes[side]?.contains(identifier) != true else {
            throw Failure(description: "PUBLISH \(identifier) to \(side), which is a SUBSCRIBE's")
        }
        publishes[side, default: []].insert(identifier)
        guard publishes[side]?.count ?? 0 <= receiveMaximum[side] ?? 0 else {
            throw Failure(description: "more to \(side) than its Receive Maximum")
        }
    }

    /// Whether the other broker has just said it, or the input is a message that is not passed on.
    private func isDue(_ packet: Acknowledgement, to side: BridgeSide, after input: BridgeInput, _ isDropped: Bool)
        -> Bool
    {
        switch input {
        case .packetReceived(.acknowledgement(let other), side.other):
            guard other.packetIdentifier == packet.packetIdentifier else { return false }
            // PUBREC stands for the PUBACK of a message whose QoS was lowered.
            return other.kind == packet.kind || other.kind == .pubAck && packet.kind == .pubRec
        case .packetReceived(.acknowledgement(let other), side):
            // The other side has no QoS 2; or one of the releases of a lost session brings the next.
            return packet.kind == .pubRel
                || packet.kind == .pubComp && other.kind == .pubRel && other.packetIdentifier == packet.packetIdentifier
        case .packetReceived(.publish(let publish), side):
            return isDropped && publish.packetIdentifier == packet.packetIdentifier
                && packet.kind == (publish.qos == .exactlyOnce ? .pubRec : .pubAck)
        // The releases of a lost session.
        case .packetReceived(.connAck, _): return packet.kind == .pubRel
        default: return false
        }
    }
}
