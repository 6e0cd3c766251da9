import MQTTModel
import Testing

@Suite struct ExactTextTests {
    static let composed = "caf\u{E9}"
    static let decomposed = "cafe\u{301}"

    @Test("MQTT-4.7.3-4: texts that look alike are two keys, and so are filters and topic names")
    func canonicallyEquivalentTextsDiffer() {
        #expect(Self.composed == Self.decomposed, "what Swift's own comparison says")
        #expect(ExactText(Self.composed) != ExactText(Self.decomposed))
        #expect(Set([ExactText(Self.composed), ExactText(Self.decomposed)]).count == 2)
        #expect(TopicName(Self.composed) != TopicName(Self.decomposed))
        #expect(Set([TopicFilter(Self.composed), TopicFilter(Self.decomposed)]).count == 2)
    }

    @Test("the same bytes are the same key")
    func sameBytesAreEqual() {
        #expect(ExactText("a/é") == ExactText("a/" + "é"))
        #expect(ExactText("a/é").hashValue == ExactText("a/" + "é").hashValue)
        #expect(TopicFilter("$share/g/a") == TopicFilter("$share/g/a"))
        #expect(TopicFilter("$share/g/a") != TopicFilter("$share/g/a", allowsShared: false))
    }
}
