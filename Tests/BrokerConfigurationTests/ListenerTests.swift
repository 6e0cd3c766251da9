import BrokerConfiguration
import BrokerCore
import Testing
import TransportModel

@Suite("Listeners in a configuration")
struct ListenerTests {
    @Test func aSectionIsAListenerWithTheDefaultsAndItsOwn() async throws {
        let settings = try await settings(
            reading: """
                listener:
                  devices:
                    address: tls://127.0.0.1:8883
                    client-certificate: required
                    client-ca: /ca.pem
                    maximum-connections: 7
                    proxy-from: ["10.0.0.0/8", unix]
                listener-defaults:
                  certificate: /chain.pem
                  key: /key.pem
                  minimum-tls: 1.3
                  maximum-connections: 100
                """)
        let listener = try #require(settings.listeners.first)
        #expect(settings.listeners.count == 1)
        #expect(listener.name == "devices")
        #expect(listener.address.transport == .tls)
        #expect(listener.options.certificate == "/chain.pem")
        #expect(listener.options.minimumTLSVersion == .v1_3)
        #expect(listener.options.clientCertificate == .required)
        #expect(listener.options.maximumConnections == 7)
        #expect(listener.options.proxies.map(\.description) == ["10.0.0.0/8", "unix"])
        #expect(settings.contradictions().isEmpty)
    }

    @Test func sectionsJoinTheListThatIsWritten() async throws {
        let settings = try await settings(
            reading: """
                listeners: ["127.0.0.1:1", "ws://127.0.0.1:2"]
                listener: {it: {address: "127.0.0.1:3"}}
                """)
        #expect(settings.listeners.map(\.description) == ["127.0.0.1:1", "ws://127.0.0.1:2", "127.0.0.1:3"])
    }

    @Test(
        arguments: [
            ("listener: {a: {certificate: x}}", "1: listener.a: has no address to listen on"),
            (
                "listener: {a: {address: \"127.0.0.1:1\", certifcate: x}}",
                "1: listener.a.certifcate: there is no such key; did you mean certificate?"
            ),
            (
                "listener: {a: {address: \"127.0.0.1:1\", maximum-handshakes: 0}}",
                "1: listener.a.maximum-handshakes: has to be within 1–1000000"
            ),
            (
                "listener-defaults: {proxy-from: [nowhere]}",
                "1: listener-defaults.proxy-from: \"nowhere\" is no address; write 10.0.0.0/8, ::1 or unix"
            ),
        ])
    func aBadListenerIsToldWithItsLine(text: String, problem: String) async throws {
        #expect(try await problems(reading: text) == [problem])
    }

    @Test func whatDoesNotGoTogetherIsToldWithItsPlace() async throws {
        let settings = try await settings(
            reading: """
                listener:
                  a:
                    address: tls://127.0.0.1:1
                    crl: /crl.pem
                  b:
                    address: unix:/tmp/x
                  c:
                    address: tls://127.0.0.1:1
                    client-certificate: optional
                    certificate: /c
                    key: /k
                """)
        #expect(
            settings.contradictions(file: "f").map { "\($0.line ?? 0) \($0.key ?? "")" } == [
                "8 listener.c.address", "0 listener-defaults.certificate", "0 listener-defaults.key",
                "4 listener.a.crl",
                "0 listener-defaults.client-ca",
            ])
    }

    @Test func aReloadTellsWhatHoldsAtOnceAndWhatNeedsARestart() async throws {
        let old = try await settings(
            reading: """
                listener: {a: {address: "127.0.0.1:1", certificate: /old}, gone: {address: "127.0.0.1:2"}}
                limits: {receive-maximum: 5}
                """)
        let new = try await settings(
            reading: """
                listener: {a: {address: "127.0.0.1:3", certificate: /new, connection-rate: 9}}
                listener-defaults: {maximum-handshakes: 5}
                limits: {receive-maximum: 6}
                """)
        let difference = SettingsDifference(from: old, to: new)
        #expect(
            difference.applied == [
                "listener-defaults.maximum-handshakes", "listener.a.certificate", "listener.a.maximum-handshakes",
                "listener.a.connection-rate",
            ])
        #expect(difference.needsRestart == ["limits.receive-maximum", "listener.a.address", "listener.gone"])
        #expect(difference.inForce.listenerDefaults == new.listenerDefaults)
        #expect(difference.inForce.namedListeners.map(\.address) == old.namedListeners.map(\.address))
        #expect(difference.inForce.namedListeners[0].options == new.namedListeners[0].options)
        #expect(difference.inForce.options.limits.receiveMaximum == 5)
        // What waits for a restart is told again.
        let again = SettingsDifference(from: difference.inForce, to: new)
        #expect(again.applied.isEmpty)
        #expect(again.needsRestart == difference.needsRestart)
    }

    @Test func aReloadTakesOtherFilesOfAccessButNotOtherWaysToCheck() async throws {
        let old = try await settings(reading: "access: {password-file: /a, rules-file: /b, denied-publish: drop}")
        let new = try await settings(
            reading: """
                log-level: debug
                access: {password-file: /c, denied-publish: close, certificate-user-name: dns}
                """)
        let difference = SettingsDifference(from: old, to: new)
        #expect(difference.applied == ["log-level", "access.password-file", "access.denied-publish"])
        #expect(difference.needsRestart == ["access.rules-file", "access.certificate-user-name"])
        #expect(difference.inForce.access.passwordFile == "/c")
        #expect(difference.inForce.access.rulesFile == "/b")
        #expect(difference.inForce.access.certificateUserName == .none)
    }
}
