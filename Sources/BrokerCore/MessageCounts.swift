package import MQTTModel

/// PUBLISH packets and the bytes of their payloads, by QoS. Only ever added to.
package struct MessageCounts: Sendable, Hashable {
    private var messagesOfQoS0: UInt64 = 0
    private var messagesOfQoS1: UInt64 = 0
    private var messagesOfQoS2: UInt64 = 0
    private var bytesOfQoS0: UInt64 = 0
    private var bytesOfQoS1: UInt64 = 0
    private var bytesOfQoS2: UInt64 = 0

    package init() {}

    package func messages(of qos: QoS) -> UInt64 {
        switch qos {
        case .atMostOnce: messagesOfQoS0
        case .atLeastOnce: messagesOfQoS1
        case .exactlyOnce: messagesOfQoS2
        }
    }

    package func payloadBytes(of qos: QoS) -> UInt64 {
        switch qos {
        case .atMostOnce: bytesOfQoS0
        case .atLeastOnce: bytesOfQoS1
        case .exactlyOnce: bytesOfQoS2
        }
    }

    package var messages: UInt64 { messagesOfQoS0 + messagesOfQoS1 + messagesOfQoS2 }
    package var payloadBytes: UInt64 { bytesOfQoS0 + bytesOfQoS1 + bytesOfQoS2 }

    @inline(__always)
    package mutating func add(_ qos: QoS, payloadBytes: Int) {
        switch qos {
        case .atMostOnce:
            messagesOfQoS0 &+= 1
            bytesOfQoS0 &+= UInt64(truncatingIfNeeded: payloadBytes)
        case .atLeastOnce:
            messagesOfQoS1 &+= 1
            bytesOfQoS1 &+= UInt64(truncatingIfNeeded: payloadBytes)
        case .exactlyOnce:
            messagesOfQoS2 &+= 1
            bytesOfQoS2 &+= UInt64(truncatingIfNeeded: payloadBytes)
        }
    }

    package static func += (left: inout MessageCounts, right: MessageCounts) {
        left.messagesOfQoS0 += right.messagesOfQoS0
        left.messagesOfQoS1 += right.messagesOfQoS1
        left.messagesOfQoS2 += right.messagesOfQoS2
        left.bytesOfQoS0 += right.bytesOfQoS0
        left.bytesOfQoS1 += right.bytesOfQoS1
        left.bytesOfQoS2 += right.bytesOfQoS2
    }
}
