import BackboneSQLite
import BrokerConfiguration
import BrokerCore
import Testing
import TransportModel

@Suite("Configuration file")
struct SettingsFileTests {
    @Test func everyKindOfValueIsRead() async throws {
        let settings = try await settings(
            reading: """
                listeners: ["127.0.0.1:1884", "[::1]:1885", localhost:0]
                allow-anonymous: true
                log-level: debug
                shards: 3
                shared-subscription-strategy: least-inflight
                shared-subscription-prefers-local: true
                status-interval: 500ms
                response-information: answers/%c/
                limits:
                  receive-maximum: 7
                  maximum-keep-alive: 60
                  connect-timeout: 2m
                  maximum-packet-size: 64KiB
                  outbound-low-watermark: 4096
                data:
                  directory: /var/lib/dunlin
                  durability: os
                  maximum-log-bytes: 5GiB
                  maximum-log-age: 7d
                  maximum-file-bytes: 8GiB
                """)
        #expect(settings.listeners.map(\.description) == ["127.0.0.1:1884", "[::1]:1885", "localhost:0"])
        #expect(settings.allowsAnonymous)
        #expect(settings.logLevel == .debug)
        #expect(settings.shardCount == 3)
        #expect(settings.options.sharedStrategy == .leastInflight)
        #expect(settings.options.prefersLocalMembers)
        #expect(settings.options.statusInterval == .milliseconds(500))
        #expect(settings.options.responseInformation == "answers/%c/")
        #expect(settings.options.limits.receiveMaximum == 7)
        #expect(settings.options.limits.maximumKeepAlive == 60)
        #expect(settings.options.limits.connectTimeout == .seconds(120))
        #expect(settings.options.limits.maximumPacketSize == 65_536)
        #expect(settings.options.limits.outboundLowWatermark == 4_096)
        #expect(settings.store.directory == "/var/lib/dunlin")
        #expect(settings.store.durability == .os)
        #expect(settings.store.maximumLogBytes == 5 << 30)
        #expect(settings.store.maximumLogAge == .seconds(7 * 86_400))
        #expect(settings.store.maximumFileBytes == 8 << 30)
    }

    @Test func jsonIsReadAsWell() async throws {
        let settings = try await settings(
            reading: """
                {"listeners": ["127.0.0.1:1884"], "limits": {"receive-maximum": 7, "connect-timeout": "1s"}}
                """)
        #expect(settings.listeners == [Listener(host: "127.0.0.1", port: 1884)])
        #expect(settings.options.limits.receiveMaximum == 7)
        #expect(settings.options.limits.connectTimeout == .seconds(1))
    }

    @Test func dottedKeysAreTheSameAsSections() async throws {
        #expect(try await settings(reading: "limits.receive-maximum: 7").options.limits.receiveMaximum == 7)
    }

    @Test(arguments: ["", "# only a comment\n", "{}"])
    func anEmptyFileLeavesTheDefaults(text: String) async throws {
        let settings = try await settings(reading: text)
        #expect(settings.listeners == BrokerSettings().listeners)
        #expect(settings.options.limits == Limits())
    }

    @Test func everyProblemIsToldWithItsLine() async throws {
        let problems = try await problems(
            reading: """
                log-level: debugg
                limits:
                  receive-maximun: 7
                  maximum-packet-size: 1
                shards: many
                """)
        #expect(
            problems == [
                "1: log-level: has to be one of trace, debug, info, notice, warning, error, critical; "
                    + "did you mean debug?",
                "3: limits.receive-maximun: there is no such key; did you mean limits.receive-maximum?",
                "4: limits.maximum-packet-size: has to be within 128B–268435460B",
                "5: shards: has to be a whole number (1–256)",
            ])
    }

    @Test(
        arguments: [
            ("limits: {receive-maximum: 0}", "1: limits.receive-maximum: has to be within 1–65535"),
            ("limits: {receive-maximum: 65536}", "1: limits.receive-maximum: has to be within 1–65535"),
            ("limits: {receive-maximum: true}", "1: limits.receive-maximum: has to be a whole number (1–65535)"),
            ("limits: {receive-maximum: 1.5}", "1: limits.receive-maximum: has to be a whole number (1–65535)"),
            (
                "limits: {connect-timeout: 10}",
                "1: limits.connect-timeout: has to be a whole number with a unit (ms, s, m, h, d), such as 10s"
            ),
            ("limits: {connect-timeout: 1d}", "1: limits.connect-timeout: has to be within 100ms–1h"),
            (
                "limits: {maximum-packet-size: 1 MB}",
                "1: limits.maximum-packet-size: has to be a size such as 4096, 64KiB or 1MiB"
            ),
            ("allow-anonymous: 1", "1: allow-anonymous: has to be true or false"),
            ("allow-anonymous:", "1: allow-anonymous: has to be true or false"),
            (
                "listeners: 127.0.0.1:1883",
                "1: listeners: has to be a list, for example [\"127.0.0.1:1883\"]"
            ),
            (
                "listeners: []",
                "1: listeners: has to be a list with at least one address, for example [\"127.0.0.1:1883\"]"
            ),
            (
                "response-information: a/+",
                "1: response-information: has to be the beginning of a topic, without + and #, of at most 1024 bytes"
            ),
            ("receive-maximum: 7", "1: receive-maximum: there is no such key; did you mean limits.receive-maximum?"),
            ("colour: blue", "1: colour: there is no such key; `dunlin config default` lists all"),
            ("- a", "1: the file has to hold keys with values, as in `log-level: info`"),
            ("shards: 1\nshards: 2", "1: written more than once: shards"),
        ])
    func aBadFileIsRefusedInWords(text: String, problem: String) async throws {
        #expect(try await problems(reading: text) == [problem])
    }

    /// Nothing would move the write-ahead log that messages wait for.
    @Test func boundsOfTheWriteAheadLogHaveToRise() async throws {
        let settings = try await settings(
            reading: "data: {idle-checkpoint-bytes: 2GiB, busy-checkpoint-bytes: 1GiB, maximum-wal-bytes: 1MiB}")
        #expect(
            settings.contradictions().map(\.key) == ["data.idle-checkpoint-bytes", "data.busy-checkpoint-bytes"])
    }

    @Test(
        arguments: [
            ("data: {directory: \"\"}", "1: data.directory: has to be the path of a directory"),
            ("data: {durability: fsync}", "1: data.durability: has to be one of commit, os, none"),
            ("data: {maximum-log-bytes: 1}", "1: data.maximum-log-bytes: has to be within 4KiB–16384GiB"),
            ("data: {maximum-log-age: 0s}", "1: data.maximum-log-age: has to be within 1s–36500d"),
            ("data: {maximum-file-bytes: 1KiB}", "1: data.maximum-file-bytes: has to be within 1MiB–16384GiB"),
        ])
    func aBadDataKeyIsRefusedInWords(text: String, problem: String) async throws {
        #expect(try await problems(reading: text) == [problem])
    }

    @Test func whatIsNoYAMLIsToldWithItsLine() async throws {
        let problems = try await problems(reading: "shards: 1\nlisteners: [\"127.0.0.1:1883\"\n")
        #expect(problems.count == 1)
        #expect(problems.first?.contains("this is neither YAML nor JSON") == true)
    }

    @Test func aMissingFileIsToldByName() async throws {
        let error = await #expect(throws: InvalidSettings.self) {
            _ = try await BrokerSettings(contentsOfFile: "/nowhere/dunlin.yaml")
        }
        #expect(error?.description == "/nowhere/dunlin.yaml: the file cannot be read: it does not exist")
    }
}
