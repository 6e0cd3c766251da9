import ArgumentParser
import MQTTClient
import Testing

@testable import dunlin

/// What `dunlin pub` makes of its command line.
@Suite struct PublishCommandTests {
    private func parse(_ arguments: String...) throws -> PublishCommand {
        try #require(try Dunlin.parseAsRoot(["pub"] + arguments) as? PublishCommand)
    }

    private func complaint(_ arguments: String...) -> String {
        do {
            _ = try Dunlin.parseAsRoot(["pub"] + arguments)
            return ""
        } catch {
            return Dunlin.message(for: error)
        }
    }

    @Test func shortOptionsAreThoseOfMosquittoPub() throws {
        let command = try parse(
            "-h", "broker", "-p", "1884", "-t", "a/b", "-m", "hello", "-q", "2", "-r", "-i", "me", "-k", "30", "-u",
            "user", "-P", "secret", "-V", "mqttv311")
        let configuration = try command.client.configuration()
        #expect(configuration.host == "broker")
        #expect(configuration.port == 1884)
        #expect(configuration.clientIdentifier == "me")
        #expect(configuration.keepAlive == .seconds(30))
        #expect(configuration.userName == "user")
        #expect(configuration.password == Array("secret".utf8))
        #expect(configuration.version == .v3_1_1)
        #expect(configuration.cleanStart)
        #expect(command.topic == "a/b")
        #expect(command.message == "hello")
        #expect(command.qos == .exactlyOnce)
        #expect(command.retain)
    }

    @Test(arguments: [
        ("31", ProtocolVersion.v3_1), ("mqttv31", .v3_1), ("311", .v3_1_1), ("5", .v5_0), ("mqttv5", .v5_0),
    ])
    func versionsHaveTwoNames(text: String, version: ProtocolVersion) throws {
        #expect(try parse("-t", "t", "-n", "-V", text).client.version == version)
    }

    @Test func exactlyOneSourceOfTheMessage() {
        #expect(complaint("-t", "t").contains("Say what to publish"))
        #expect(complaint("-t", "t", "-m", "x", "-l").contains("Give only one"))
        #expect(complaint("-t", "t", "-l", "--repeat", "2").contains("--repeat does not go with -l"))
        #expect(complaint("-t", "t", "-n").isEmpty)
    }

    @Test func mistakesAreNamed() {
        #expect(complaint("-t", "a/#", "-n").contains("\"a/#\" is no topic to publish to"))
        #expect(complaint("-t", "t", "-n", "-q", "3").contains("\"3\" is no QoS"))
        #expect(complaint("-t", "t", "-n", "-V", "4").contains("is no protocol version"))
        #expect(complaint("-t", "t", "-n", "-p", "70000").contains("70000 is no port"))
        #expect(complaint("-t", "t", "-n", "-c").contains("give one with -i"))
        #expect(complaint("-t", "t", "-n", "--will-qos", "1").contains("--will-topic"))
    }

    @Test func propertiesGoToTheirPackets() throws {
        let properties = try ClientProperties(
            arguments: try parse(
                "-t", "t", "-n", "-D", "publish", "content-type", "text/plain", "-D", "connect", "user-property", "a",
                "b c", "-D", "publish user-property x y z"
            ).client.property)
        #expect(properties[.publish].contentType == "text/plain")
        #expect(properties[.publish].all.last == .userProperty(name: "x", value: "y z"))
        #expect(properties[.connect] == [.userProperty(name: "a", value: "b c")])
        #expect(properties[.will].isEmpty)
    }

    @Test func wrongPropertiesAreNamed() {
        #expect(complaint("-t", "t", "-n", "-D", "puback", "reason-string", "x").contains("takes no properties"))
        #expect(complaint("-t", "t", "-n", "-D", "publish", "receive-maximum", "1").contains("has no property"))
        #expect(complaint("-t", "t", "-n", "-D", "connect", "receive-maximum", "0").contains("within 1-65535"))
        #expect(complaint("-t", "t", "-n", "-D", "connect", "receive-maximum").contains("the value is missing"))
        #expect(complaint("-t", "t", "-n", "-V", "311", "-D", "publish", "content-type", "x").contains("add -V 5"))
    }

    @Test func willTakesItsOptionsAndProperties() throws {
        let command = try parse(
            "-t", "t", "-n", "--will-topic", "w", "--will-payload", "gone", "--will-qos", "1", "--will-retain", "-D",
            "will", "will-delay-interval", "5")
        let will = try #require(try command.client.configuration().will)
        #expect(will.topic == "w")
        #expect(will.payload == Array("gone".utf8))
        #expect(will.qos == .atLeastOnce)
        #expect(will.retain)
        #expect(will.properties.willDelayInterval == 5)
    }

    @Test func sessionExpiryFollowsTheOptions() throws {
        func expiry(_ arguments: String...) throws -> Duration {
            let all = ["pub", "-t", "t", "-n"] + arguments
            let command = try #require(try Dunlin.parseAsRoot(all) as? PublishCommand)
            return try command.client.configuration().sessionExpiryInterval
        }
        #expect(try expiry() == .zero)
        #expect(try expiry("-c", "-i", "me") == .seconds(4_294_967_295))
        #expect(try expiry("-x", "60") == .seconds(60))
        #expect(try expiry("-x", "-1") == .seconds(4_294_967_295))
        #expect(try expiry("--session-expiry", "7") == .seconds(7))
    }

    @Test func helpIsLongOnly() throws {
        #expect(PublishCommand.helpMessage().contains("--help"))
        #expect(!PublishCommand.helpMessage().contains("-h, --help"))
        #expect(PublishCommand.helpMessage().contains("Exit codes: 0"))
    }
}

@Suite struct LineSplitterTests {
    @Test func linesMayComeInPieces() {
        var splitter = LineSplitter()
        #expect(splitter.lines(in: Array("a\nb".utf8)) == [Array("a".utf8)])
        #expect(splitter.lines(in: Array("c\r\n\nd".utf8)) == [Array("bc".utf8), []])
        #expect(splitter.last() == Array("d".utf8))
        #expect(splitter.last() == nil)
    }
}
