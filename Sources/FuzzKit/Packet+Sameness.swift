package import MQTTModel

extension Packet {
    /// Whether both say the same, messages compared by their content.
    package func isSame(as other: Packet) -> Bool {
        switch (self, other) {
        case (.connect(let one), .connect(let two)): one.isSame(as: two)
        case (.publish(let one), .publish(let two)): one.isSame(as: two)
        case (.connAck(let one), .connAck(let two)): one == two
        case (.acknowledgement(let one), .acknowledgement(let two)): one == two
        case (.subscribe(let one), .subscribe(let two)): one == two
        case (.subAck(let one), .subAck(let two)): one == two
        case (.unsubscribe(let one), .unsubscribe(let two)): one == two
        case (.unsubAck(let one), .unsubAck(let two)): one == two
        case (.disconnect(let one), .disconnect(let two)): one == two
        case (.auth(let one), .auth(let two)): one == two
        case (.pingReq, .pingReq), (.pingResp, .pingResp): true
        default: false
        }
    }
}

extension Connect {
    fileprivate func isSame(as other: Connect) -> Bool {
        let areWillsSame =
            switch (will, other.will) {
            case (nil, nil): true
            case (let one?, let two?):
                one.delayInterval == two.delayInterval && one.message.isSame(as: two.message)
            default: false
            }
        return areWillsSame && version == other.version && clientIdentifier == other.clientIdentifier
            && cleanStart == other.cleanStart && keepAlive == other.keepAlive && userName == other.userName
            && password == other.password && properties == other.properties
    }
}

extension Publish {
    fileprivate func isSame(as other: Publish) -> Bool {
        message.isSame(as: other.message) && packetIdentifier == other.packetIdentifier
            && topicAlias == other.topicAlias && qos == other.qos && isDuplicate == other.isDuplicate
            && isRetained == other.isRetained && subscriptionIdentifiers == other.subscriptionIdentifiers
    }
}

extension ApplicationMessage {
    /// Whether both hold the same bytes and flags; when they were received does not matter.
    package func isSame(as other: ApplicationMessage) -> Bool {
        topic.elementsEqual(other.topic) && properties.elementsEqual(other.properties)
            && payload.elementsEqual(other.payload) && qos == other.qos && isRetained == other.isRetained
            && expiryInterval == other.expiryInterval
    }
}
