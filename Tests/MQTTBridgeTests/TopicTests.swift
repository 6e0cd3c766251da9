import MQTTBridge
import MQTTModel
import Testing

@Suite("Topics of a bridge")
struct TopicTests {
    @Test func aLineIsReadAsMosquittoReadsIt() throws {
        let topic = try BridgeTopic(parsing: #"sensors/# both 1 "" edge7/"#)
        #expect(
            topic
                == BridgeTopic(
                    "sensors/#", .both, maximumQoS: .atLeastOnce, localPrefix: "", remotePrefix: "edge7/"))
        #expect(topic.filter(at: .local) == "sensors/#")
        #expect(topic.filter(at: .remote) == "edge7/sensors/#")
    }

    @Test func withoutMoreItIsOutAndKeepsTheQoS() throws {
        #expect(try BridgeTopic(parsing: "#") == BridgeTopic("#", .out, maximumQoS: .exactlyOnce))
    }

    @Test func anEmptyPatternLinksOneTopicToOneOther() throws {
        let topic = try BridgeTopic(parsing: #""" in 0 here/a there/b"#)
        #expect(topic.filter(at: .local) == "here/a")
        #expect(topic.filter(at: .remote) == "there/b")
    }

    @Test func quotationMarksHoldSpacesTogether() throws {
        #expect(try BridgeTopic(parsing: #""living room/+" out"#).pattern == "living room/+")
    }

    @Test(arguments: [
        "", "a/# up", "a/# out 3", "a/# out 1 local/", "a#", #"a/# out 1 "x/#" """#, #"a "out"#, "$share/g/a both",
        #""" out 1 "" """#, "a out 1 x/ y/ z",
    ])
    func aLineThatMakesNoSenseIsRefused(line: String) {
        #expect(throws: BridgeTopic.Malformed.self) { try BridgeTopic(parsing: line) }
    }

    @Test func topicsThatComeBackAreFound() {
        var options = BridgeOptions(name: "b")
        options.topics = [BridgeTopic("a/+/c", .out, remotePrefix: "x/"), BridgeTopic("x/#", .in)]
        #expect(options.returningFilter == "x/#")
        options.topics = [BridgeTopic("#", .out, remotePrefix: "x/"), BridgeTopic("#", .in, remotePrefix: "y/")]
        #expect(options.returningFilter == nil)
        options.topics = [BridgeTopic("a", .out), BridgeTopic("a/#", .in)]
        #expect(options.returningFilter == "a/#")
    }
}
