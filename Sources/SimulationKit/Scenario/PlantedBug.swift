import MQTTCodec
import MQTTModel

/// A fault put between broker and clients on purpose: what a broker with that bug would send. Each has to be found by
/// the checker of its rule, or the checker is worth nothing.
package enum PlantedBug: String, Sendable, CaseIterable {
    case loseDelivery
    case duplicateQoSZero
    case duplicateQoSOne
    case duplicateQoSTwo
    case reorder
    case exceedReceiveMaximum
    case repeatPacketIdentifier
    case oversizedPacket
    case aliasOutOfRange
    case wrongDuplicateFlag
    case wrongPayload
    case wrongSessionPresent
    case loseRetained
    case staleRetained
    case loseWill
    case unwantedWill
    case shareWithAll
    case closeHonestClient
    /// The engine answers before it has committed.
    case answerBeforeCommit
    /// The engine forgets by which QoS 2 exchange a message came.
    case forgetExchange

    /// A run in which it shows.
    package var swarm: Swarm {
        var swarm = Swarm.eventful
        switch self {
        case .answerBeforeCommit, .forgetExchange:
            swarm.hasLastingEngine = true
            swarm.crashCount = 5
            swarm.maximumCommitDelayMilliseconds = 50
        default: break
        }
        return swarm
    }

    /// The rules that it breaks, any of which may notice it first.
    package var rules: Set<Rule> {
        switch self {
        case .loseDelivery: [.qosOneAtLeastOnce, .qosTwoExactlyOnce]
        case .duplicateQoSZero: [.qosZeroAtMostOnce]
        case .duplicateQoSOne: [.qosOneNotRepeatedWhileConnected, .packetIdentifier]
        case .duplicateQoSTwo: [.qosTwoExactlyOnce]
        case .reorder: [.order]
        case .exceedReceiveMaximum: [.receiveMaximum]
        case .repeatPacketIdentifier: [.packetIdentifier]
        case .oversizedPacket: [.maximumPacketSize]
        case .aliasOutOfRange: [.topicAlias]
        case .wrongDuplicateFlag: [.duplicateFlag]
        case .wrongPayload: [.content]
        case .wrongSessionPresent: [.sessionPresent]
        case .loseRetained: [.retained]
        case .staleRetained: [.retained]
        case .loseWill, .unwantedWill: [.will]
        case .shareWithAll: [.sharedSubscription]
        case .closeHonestClient: [.honestClientClosed]
        case .answerBeforeCommit: [.sessionPresent, .qosOneAtLeastOnce, .qosTwoExactlyOnce, .will]
        case .forgetExchange: [.qosTwoExactlyOnce]
        }
    }
}
