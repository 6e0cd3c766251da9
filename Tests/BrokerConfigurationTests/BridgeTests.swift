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
        ("websocket-path: mqtt", "bridge.cloud.websocket-path"), ("local-name: \"a b\"", "bridge.cloud.local-name"),
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

    /// `DUNLIN_BRIDGE_DEFAULTS_*` and options, too.
    @Test func defaultsOfVariablesReachBridgesWithASection() async throws {
        var settings = try await settings(reading: Self.file)
        try settings.apply(environment: [
            "DUNLIN_BRIDGE_DEFAULTS_LONGEST_DELAY": "5s", "DUNLIN_BRIDGE_DEFAULTS_KEEP_ALIVE": "50s",
        ])
        #expect(settings.bridges.first?.longestDelay == .seconds(5))
        // What its own section says holds.
        #expect(settings.bridges.first?.keepAlive == .seconds(30))
    }

    @Test func aRunningBrokerTakesUpChangedAndNewBridges() async throws {
        let old = try await settings(reading: Self.file)
        let more = "  site: {addresses: [\"127.0.0.1:1\"], client-id: edge, topics: [\"a\"]}\nbridge-defaults:"
        let new = try await settings(
            reading: Self.file.replacing("30s", with: "40s").replacing("bridge-defaults:", with: more))
        let difference = SettingsDifference(from: old, to: new)
        #expect(difference.applied == ["bridge.cloud", "bridge.site"])
        #expect(difference.needsRestart == [])
        #expect(difference.inForce.bridges == new.bridges)
        #expect(SettingsDifference(from: new, to: BrokerSettings()).applied.contains("bridge.cloud"))
        #expect(SettingsDifference(from: old, to: old).applied == [])
    }

    @Test func aBridgeWithoutAListenerToComeInByNeedsARestart() async throws {
        let old = try await settings(reading: "listeners: [\"wss://127.0.0.1:443\"]")
        let difference = SettingsDifference(from: old, to: try await settings(reading: Self.file))
        #expect(difference.needsRestart.contains("bridge.cloud"))
        #expect(difference.inForce.bridges == [])
    }
}
