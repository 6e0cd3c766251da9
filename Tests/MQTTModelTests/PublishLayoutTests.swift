import MQTTModel
import Testing

@Suite struct PublishLayoutTests {
    static func message(payload: Int, properties: Int = 0) -> ApplicationMessage {
        let message = ApplicationMessage(capacity: 0)
        message.reset(topicLength: 3, propertiesLength: properties, payloadLength: payload)
        return message
    }

    @Test func before5ThereAreNoProperties() {
        let layout = PublishLayout(
            message: PublishLayoutTests.message(payload: 10, properties: 7), version: .v3_1_1, qos: .atMostOnce,
            hasTopicAlias: true, hasExpiry: true, subscriptionIdentifiers: [1])
        #expect(layout.propertiesLength == 0 && layout.remainingLength == 15 && layout.packetLength == 17)
    }

    @Test func eachPartCounts() {
        let message = PublishLayoutTests.message(payload: 10, properties: 7)
        #expect(PublishLayout(message: message, version: .v5_0, qos: .atMostOnce).remainingLength == 23)
        #expect(PublishLayout(message: message, version: .v5_0, qos: .exactlyOnce).remainingLength == 25)
        let full = PublishLayout(
            message: message, version: .v5_0, qos: .atLeastOnce, omitsTopic: true, hasTopicAlias: true, hasExpiry: true,
            subscriptionIdentifiers: [1, 128, 16_384, 2_097_152])
        #expect(full.propertiesLength == 7 + 3 + 5 + 2 + 3 + 4 + 5)
        #expect(full.remainingLength == 2 + 2 + 1 + full.propertiesLength + 10)
    }

    @Test("MQTT-1.5.5-1: the borders of the variable byte integer")
    func lengthsOfVariableByteIntegers() {
        let borders = [
            (0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (2_097_151, 3), (2_097_152, 4), (268_435_455, 4),
        ]
        for (value, length) in borders { #expect(VariableByteInteger.length(of: value) == length) }
        let small = PublishLayout(
            message: PublishLayoutTests.message(payload: 122), version: .v3_1, qos: .atMostOnce)
        #expect(small.remainingLength == 127 && small.packetLength == 129)
        let large = PublishLayout(
            message: PublishLayoutTests.message(payload: 123), version: .v3_1, qos: .atMostOnce)
        #expect(large.remainingLength == 128 && large.packetLength == 131)
    }
}

@Suite struct VocabularyTests {
    @Test("MQTT-3.8.3-5: subscription options are what their byte says, or nothing")
    func subscriptionOptions() {
        for byte in UInt8.min...UInt8.max {
            let isValid = byte & 0xC0 == 0 && byte & 0x03 != 3 && byte & 0x30 != 0x30
            #expect(SubscriptionOptions(rawValue: byte)?.rawValue == (isValid ? byte : nil))
        }
    }

    @Test("3.1.1 table 3.1: each return code has its reason code")
    func returnCodes() {
        for code in UInt8(0)...5 {
            #expect(ConnAck.reasonCode(forReturnCode: code).map(ConnAck.returnCode) == code)
        }
        #expect(ConnAck.reasonCode(forReturnCode: 6) == nil)
        #expect(ConnAck.returnCode(for: .quotaExceeded) == 3)
    }

    @Test func propertiesKeepTheirOrder() {
        let properties: Properties = [
            .userProperty(name: "b", value: "1"), .subscriptionIdentifier(2), .userProperty(name: "a", value: "2"),
            .subscriptionIdentifier(1), .reasonString("why"),
        ]
        #expect(properties.userProperties.map(\.name) == ["b", "a"])
        #expect(properties.subscriptionIdentifiers == [2, 1] && properties.subscriptionIdentifier == 2)
        #expect(properties.reasonString == "why" && properties.receiveMaximum == nil)
    }
}
