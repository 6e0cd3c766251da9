import BrokerCore
import MQTTModel
import Testing

/// "é" as one scalar and as "e" with an accent: one text for Swift, two for MQTT.
@Suite("Texts that look alike")
struct LookAlikeTests {
    private static let composed = "caf\u{E9}"
    private static let decomposed = "cafe\u{301}"

    @Test("MQTT-4.7.3-4: unsubscribing from a filter that looks alike takes nothing away, and the session ends cleanly")
    func filtersThatLookAlikeAreTwo() {
        var core = CoreHarness()
        let subscriber = core.connect("s")
        _ = core.subscribe(subscriber, to: Self.composed, qos: .atLeastOnce)
        _ = core.step(
            .packetReceived(subscriber, .unsubscribe(Unsubscribe(packetIdentifier: 2, filters: [Self.decomposed]))))
        let publisher = core.connect("p")
        #expect(core.publish(publisher, Self.decomposed, qos: .atMostOnce) == [])
        #expect(core.publish(publisher, Self.composed, qos: .atMostOnce).count == 1)
        _ = core.step(.connectionClosed(subscriber))
        #expect(core.publish(publisher, Self.composed, qos: .atMostOnce) == [])
    }

    @Test("MQTT-3.1.3-2: clients whose identifiers look alike are two, and neither takes the other over")
    func clientIdentifiersThatLookAlikeAreTwo() {
        var core = CoreHarness()
        let first = core.connect(Self.composed)
        _ = core.subscribe(first, to: "t", qos: .atMostOnce)
        let second = core.connect(Self.decomposed)
        #expect(core.publish(second, "t", qos: .atMostOnce).count == 1)
    }
}
