import BrokerConfiguration
import MQTTBridge
import Testing
import TransportModel

@Suite("Bridges in the configuration")
struct BridgeTests {
    private static let file = """
        bridge:
          cloud:
            addresses: ["tls://broker.example:8883"]
            client-id: edge7
            keep-alive: 30s
            topics:
              - 'sensors/# out 1 "" edge7/'
        bridge-defaults:
          longest-delay: 10s
        """

    private func problems(_ text: String) async -> [String] {
        do {
            return try await settings(reading: text).contradictions().map(\.description)
        } catch let error as InvalidSettings {
            return error.problems.map { $0.key.map { "\($0): " } ?? "" }
        } catch {
            return ["\(error)"]
        }
    }

    @Test func aSectionIsABridgeWithTheDefaultsThatStandBehindIt() async throws {
        let settings = try await settings(reading: Self.file)
        let bridge = try #require(settings.bridges.first)
        #expect(settings.bridges.count == 1)
        #expect(bridge.name == "cloud")
        #expect(bridge.addresses.map(\.description) == ["tls://broker.example:8883"])
        #expect(bridge.topics == [try BridgeTopic(parsing: #"sensors/# out 1 "" edge7/"#)])
        #expect(bridge.keepAlive == .seconds(30))
        #expect(bridge.longestDelay == .seconds(10))
        #expect(settings.contradictions().isEmpty)
    }

    @Test(arguments: [
        ("keep-aliv: 30s", "bridge.cloud.keep-aliv"), ("topics: [\"a/# up\"]", "bridge.cloud.topics"),
        ("addresses: [\"ws://a:80\"]", "bridge.cloud.addresses"), ("local-name: \"a b\"", "bridge.cloud.local-name"),
    ])
    func aSlipIsToldWithItsKey(line: String, key: String) async {
        let found = await problems("bridge:\n  cloud:\n    \(line)\n")
        #expect(found.contains { $0.hasPrefix("\(key):") }, "\(found)")
    }

    @Test func whatABridgeCannotDoWithoutIsAskedFor() async {
        let found = await problems("bridge:\n  cloud:\n    keep-alive: 30s\n")
        for key in ["addresses", "topics", "client-id"] {
            #expect(found.contains { $0.hasPrefix("bridge.cloud.\(key): has to be said") }, "\(found)")
        }
    }

    @Test func topicsThatComeBackAreRefusedWhereNothingStopsThem() async {
        let file = """
            bridge:
              old:
                addresses: ["127.0.0.1:1"]
                client-id: edge7
                version: "3.1.1"
                bridge-bit: false
                topics: ["# both"]
            """
        #expect(await problems(file).contains { $0.hasPrefix("bridge.old.topics: every message") })
    }

    @Test func twoBridgesOfOneIdentifierAreRefused() async {
        let file = """
            bridge:
              one: {addresses: ["127.0.0.1:1"], client-id: edge, topics: ["a"]}
              two: {addresses: ["127.0.0.1:1"], client-id: edge, topics: ["b"]}
            """
        #expect(await problems(file).contains { $0.hasPrefix("bridge.two.client-id: another bridge") })
    }

    @Test func aBridgeNeedsAListenerToComeInBy() async {
        let file = """
            listeners: ["wss://127.0.0.1:443"]
            bridge:
              one: {addresses: ["127.0.0.1:1"], client-id: edge, topics: ["a"]}
            """
        #expect(await problems(file).contains { $0.contains("a bridge comes in by a listener") })
    }

    @Test func aChangedBridgeNeedsARestart() async throws {
        let old = try await settings(reading: Self.file)
        let new = try await settings(reading: Self.file.replacing("30s", with: "40s"))
        #expect(SettingsDifference(from: old, to: new).needsRestart == ["bridge.cloud"])
        #expect(SettingsDifference(from: old, to: old).needsRestart == [])
    }
}
