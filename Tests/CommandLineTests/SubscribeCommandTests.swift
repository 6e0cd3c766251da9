import ArgumentParser
import MQTTClient
import Testing

@testable import dunlin

/// What `dunlin sub` makes of its command line.
@Suite struct SubscribeCommandTests {
    private func parse(_ arguments: String...) throws -> SubscribeCommand {
        try #require(try Dunlin.parseAsRoot(["sub"] + arguments) as? SubscribeCommand)
    }

    private func complaint(_ arguments: String...) -> String {
        do {
            _ = try Dunlin.parseAsRoot(["sub"] + arguments)
            return ""
        } catch {
            return Dunlin.message(for: error)
        }
    }

    @Test func shortOptionsAreThoseOfMosquittoSub() throws {
        let command = try parse(
            "-t", "a", "-t", "b/#", "-T", "b/x", "-U", "c", "-q", "1", "-C", "3", "-W", "9", "-R", "-v", "-N", "-E",
            "-c",
            "-i", "me")
        #expect(command.topic == ["a", "b/#"])
        #expect(command.filterOut == ["b/x"])
        #expect(command.unsubscribe == ["c"])
        #expect(command.qos == .atLeastOnce)
        #expect(command.count == 3)
        #expect(command.timeout == 9)
        #expect(command.skipsRetained && command.verbose && command.omitsLineEnd && command.endsWhenSubscribed)
        #expect(try !command.client.configuration().cleanStart)
    }

    @Test func mistakesAreNamed() {
        #expect(complaint().contains("-t FILTER"))
        #expect(complaint("-t", "a#").contains("\"a#\" is no topic filter"))
        #expect(complaint("-t", "a", "-C", "0").contains("-C: give 1 or more"))
        #expect(complaint("-t", "a", "-R", "--retained-only").contains("nothing to print"))
        #expect(complaint("-t", "a", "-V", "311", "--no-local").contains("need MQTT 5.0"))
        #expect(complaint("-t", "a", "-F", "%z").contains("after % comes one of"))
    }

    @Test func formatFollowsTheOptions() throws {
        #expect(try parse("-t", "a").messageFormat() == MessageFormat("%p\\n"))
        #expect(try parse("-t", "a", "-v").messageFormat() == MessageFormat("%t %p\\n"))
        #expect(try parse("-t", "a", "-v", "-N").messageFormat() == MessageFormat("%t %p"))
        #expect(try parse("-t", "a", "-F", "%q").messageFormat() == MessageFormat("%q\\n"))
    }
}

@Suite struct MessageFormatTests {
    private let message = MQTTClient.Message(
        topic: "a/b", payload: Array("h\"i".utf8), qos: .atLeastOnce, isRetained: true, isDuplicate: false,
        properties: [.contentType("text"), .userProperty(name: "k", value: "v"), .correlationData([0x31])],
        subscriptionIdentifiers: [4])
    private let time = WallClockTime(seconds: 1_600_000_000, nanoseconds: 5_000_000)

    private func print(_ format: String) throws -> String {
        String(decoding: try MessageFormat(format).render(message, at: time), as: UTF8.self)
    }

    @Test func conversionsPrintTheirField() throws {
        #expect(try print("%t|%p|%l|%q|%r|%d") == "a/b|h\"i|3|1|1|0")
        #expect(try print("%x %X") == "682269 682269")
        #expect(try print("%C %P %S %D %E%R%F") == "text k:v 4 1 ")
        #expect(try print("%U") == "1600000000.005000000")
        #expect(try print("@Y @N") == "2020 005000000")
    }

    @Test func widthsAndPrecisionsAreThoseOfPrintf() throws {
        #expect(try print("%5t|%-5t|%05l|%.2p|%5.1t") == "  a/b|a/b  |00003|h\"|    a")
    }

    @Test func escapesAndDoubledSignsPrintThemselves() throws {
        #expect(try print("100%% a@@b \\t\\\\\\n") == "100% a@b \t\\\n")
        #expect(throws: ValidationError.self) { try print("%") }
        #expect(throws: ValidationError.self) { try print("\\q") }
        #expect(throws: ValidationError.self) { try print("@") }
        #expect(throws: ValidationError.self) { try print("%99999p") }
    }

    @Test func jsonHasTheKeysOfMosquittoSub() throws {
        let text = try print("%j")
        #expect(text.hasPrefix("{\"tst\":\"2020-09-"))
        #expect(
            text.hasSuffix(
                "\"topic\":\"a/b\",\"qos\":1,\"retain\":1,\"payloadlen\":3,\"properties\":{\"content-type\":\"text\","
                    + "\"correlation-data\":\"1\",\"user-properties\":[{\"k\":\"v\"}],\"subscription-identifiers\":[4]},"
                    + "\"payload\":\"h\\\"i\"}"))
    }

    @Test func jsonEscapesWhatItMust() {
        #expect(JSONText.quoted("a\"\\\n\t\u{1}é") == "\"a\\\"\\\\\\n\\t\\u0001é\"")
    }
}
