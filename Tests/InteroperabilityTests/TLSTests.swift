import Foundation
import ProcessKit
import Testing

/// TLS and mutual TLS with openssl, mosquitto's clients and paho-mqtt; certificates are made by the tests.
@Suite("TLS", .serialized, .enabled(if: !BrokerProcess.isPeer))
struct TLSTests {
    private func with(
        _ certificates: Certificates, _ options: [String: String] = [:], more: String = "",
        _ body: (BrokerProcess) async throws -> Void
    ) async throws {
        var all = ["certificate": certificates.certificate("server"), "key": certificates.key("server")]
        all.merge(options) { $1 }
        let lines = all.sorted { $0.key < $1.key }.map { "    \($0.key): \($0.value)\n" }.joined()
        let file = certificates.path("dunlin.yaml")
        try Data("listener:\n  secure:\n    address: tls://127.0.0.1:0\n\(lines)\(more)".utf8).write(
            to: URL(filePath: file))
        try await BrokerProcess.with(configuration: file, body)
    }

    private func mutual(_ certificates: Certificates, _ mode: String = "required") -> [String: String] {
        ["client-ca": certificates.certificate("ca"), "client-certificate": mode]
    }

    @Test(arguments: ["mqttv311", "5"])
    func mosquittoPublishesAndSubscribes(version: String) async throws {
        let certificates = try await Certificates()
        try await with(certificates) { broker in
            let clients = MosquittoClients(
                broker: broker, version: version, options: ["--cafile", certificates.certificate("ca")])
            let subscriber = try await clients.subscriber(["-t", "a", "-q", "1", "-C", "1", "-F", "%p"])
            let payload = String(repeating: "long ", count: 20_000)
            try await clients.publish(["-t", "a", "-q", "1", "-m", payload])
            #expect(try await subscriber.messages() == [payload])
        }
    }

    @Test(arguments: ["1.2", "1.3"], ["ECDHE", "RSA"])
    func everyVersionAndKindOfKeyIsSpoken(version: String, kind: String) async throws {
        let certificates = try await Certificates()
        if kind == "RSA" { try await certificates.issueRSA("server") }
        try await with(certificates) { broker in
            let answer = try await OpenSSLClient.talk(
                to: broker, certificates, [version == "1.2" ? "-tls1_2" : "-tls1_3", "-alpn", "mqtt"])
            #expect(answer.contains("Verification: OK"))
            #expect(answer.contains("ALPN protocol: mqtt"))
        }
    }

    @Test func whatIsOlderThanTheOldestAllowedIsRefused() async throws {
        let certificates = try await Certificates()
        try await with(certificates, ["minimum-tls": "\"1.3\""]) { broker in
            let older = try await OpenSSLClient.talk(to: broker, certificates, ["-tls1_2"])
            #expect(older.contains("alert protocol version"))
            let newer = try await OpenSSLClient.talk(to: broker, certificates, ["-tls1_3"])
            #expect(newer.contains("Verification: OK"))
        }
    }

    @Test func onlyTheChosenCiphersAreSpoken() async throws {
        let certificates = try await Certificates()
        try await with(certificates, ["ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384"]) { broker in
            let refused = try await OpenSSLClient.talk(
                to: broker, certificates, ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"])
            #expect(refused.contains("alert handshake failure"))
            let taken = try await OpenSSLClient.talk(
                to: broker, certificates, ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"])
            #expect(taken.contains("Verification: OK"))
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"], [false, true])
    func aSessionIsResumed(version: String, isMutual: Bool) async throws {
        let certificates = try await Certificates()
        try await certificates.issue("client")
        try await with(certificates, isMutual ? mutual(certificates) : [:]) { broker in
            let own = isMutual ? ["-cert", certificates.certificate("client"), "-key", certificates.key("client")] : []
            let file = certificates.path("session")
            let first = try await OpenSSLClient.talk(to: broker, certificates, [version, "-sess_out", file] + own)
            #expect(first.contains("New, TLS"))
            let second = try await OpenSSLClient.talk(to: broker, certificates, [version, "-sess_in", file] + own)
            #expect(second.contains("Reused, TLS"), "\(second)")
        }
    }

    @Test func aClientWithACertificateOfTheAuthorityIsLetInAndOthersAreNot() async throws {
        let certificates = try await Certificates()
        try await certificates.authority("other")
        try await certificates.issue("good")
        try await certificates.issue("stranger", by: "other")
        try await certificates.issue("late", isExpired: true)
        try await certificates.issue("revoked")
        try await certificates.revoke(["revoked"])
        let options = mutual(certificates).merging(["crl": certificates.path("ca.crl")]) { $1 }
        try await with(certificates, options) { broker in
            let authority = ["--cafile", certificates.certificate("ca")]
            for name in ["stranger", "late", "revoked", nil] {
                let own = name.map { ["--cert", certificates.certificate($0), "--key", certificates.key($0)] } ?? []
                let clients = MosquittoClients(broker: broker, version: "5", options: authority + own)
                let status = try await clients.tryToPublish(["-t", "a", "-m", "x", "-q", "1"])
                #expect(status != 0, "\(name ?? "no certificate")")
            }
            let own = ["--cert", certificates.certificate("good"), "--key", certificates.key("good")]
            let clients = MosquittoClients(broker: broker, version: "5", options: authority + own)
            try await clients.publish(["-t", "a", "-m", "x", "-q", "1"])
            try await broker.process.line(containing: "the certificate is revoked")
        }
    }

    @Test func theNameInTheCertificateIsTheUserNameForTheRules() async throws {
        let certificates = try await Certificates()
        try await certificates.issue("alice")
        try await certificates.issue("mallory")
        let rules = certificates.path("rules")
        try Data("allow user alice readwrite own/%u\n".utf8).write(to: URL(filePath: rules))
        let access = "access:\n  certificate-user-name: common-name\n  rules-file: \(rules)\n"
        try await with(certificates, mutual(certificates), more: access) { broker in
            for (name, reason) in [("alice", 16), ("mallory", 135)] {
                let options = [
                    "--cafile", certificates.certificate("ca"), "--cert", certificates.certificate(name), "--key",
                    certificates.key(name),
                ]
                let clients = MosquittoClients(broker: broker, version: "5", options: options)
                let answer = try await clients.answerToPublishing(["-t", "own/alice", "-m", "x", "-q", "1"])
                // 0x10, No matching subscribers; 0x87, Not authorized.
                #expect(answer.contains("PUBACK (Mid: 1, RC:\(reason))"), "\(answer)")
            }
        }
    }

    /// Each field of the certificate as the user name, and in a rule; whom `%u` and the field do not name is denied.
    @Test(arguments: [("dns", "DNS:sensor-1.example"), ("email", "email:ada@example"), ("uri", "URI:urn:dev:7")])
    func anAlternativeNameIsTheUserName(field: String, name: String) async throws {
        let certificates = try await Certificates()
        try await certificates.issue("client", extensions: ["subjectAltName=\(name)"])
        let text = String(name.drop { $0 != ":" }.dropFirst())
        let rules = certificates.path("rules")
        try Data("allow everyone readwrite of/%u\nallow everyone readwrite with/%{\(field)}\n".utf8).write(
            to: URL(filePath: rules))
        let access = "access:\n  certificate-user-name: \(field)\n  rules-file: \(rules)\n"
        try await with(certificates, mutual(certificates), more: access) { broker in
            let options = [
                "--cafile", certificates.certificate("ca"), "--cert", certificates.certificate("client"), "--key",
                certificates.key("client"),
            ]
            let clients = MosquittoClients(broker: broker, version: "5", options: options)
            for (topic, reason) in [
                ("of/\(text)", 16), ("with/\(text)", 16), ("of/another", 135), ("with/another", 135),
            ] {
                let answer = try await clients.answerToPublishing(["-t", topic, "-m", "x", "-q", "1"])
                #expect(answer.contains("PUBACK (Mid: 1, RC:\(reason))"), "\(topic): \(answer)")
            }
        }
    }

    /// A certificate that is revoked while its client is connected ends the connection at the reload: 0x87, not authorized.
    @Test func aRevokedCertificateEndsTheConnection() async throws {
        let certificates = try await Certificates()
        try await certificates.issue("good")
        try await certificates.issue("bad")
        try await certificates.revoke([])
        let options = mutual(certificates).merging(["crl": certificates.path("ca.crl")]) { $1 }
        try await with(certificates, options) { broker in
            func clients(_ name: String) -> MosquittoClients {
                MosquittoClients(
                    broker: broker, version: "5",
                    options: [
                        "--cafile", certificates.certificate("ca"), "--cert", certificates.certificate(name), "--key",
                        certificates.key(name),
                    ])
            }
            let good = try await clients("good").subscriber(["-i", "good", "-t", "a", "-C", "1", "-F", "%p"])
            let bad = try await clients("bad").subscriber(["-i", "bad", "-t", "a"])
            try await certificates.revoke(["bad"])
            broker.process.signal(SIGHUP)
            try await bad.line(containing: "DISCONNECT (135)")
            bad.signal(SIGKILL)
            try await broker.process.line(containing: "disconnected=1")
            try await clients("good").publish(["-t", "a", "-m", "x", "-q", "1"])
            #expect(try await good.messages() == ["x"])
        }
    }

    @Test func anOptionalCertificateMayBeMissingButHasToBeGood() async throws {
        let certificates = try await Certificates()
        try await certificates.authority("other")
        try await certificates.issue("stranger", by: "other")
        try await with(certificates, mutual(certificates, "optional")) { broker in
            let authority = ["--cafile", certificates.certificate("ca")]
            try await MosquittoClients(broker: broker, version: "5", options: authority)
                .publish(["-t", "a", "-m", "x", "-q", "1"])
            let own = ["--cert", certificates.certificate("stranger"), "--key", certificates.key("stranger")]
            let status = try await MosquittoClients(broker: broker, version: "5", options: authority + own)
                .tryToPublish(["-t", "a", "-m", "x", "-q", "1"])
            #expect(status != 0)
        }
    }

    @Test func sighupTakesUpANewCertificateWithoutDroppingAClient() async throws {
        let certificates = try await Certificates()
        try await with(certificates) { broker in
            let old = MosquittoClients(
                broker: broker, version: "5", options: ["--cafile", certificates.certificate("ca")])
            let subscriber = try await old.subscriber(["-t", "a", "-C", "2", "-F", "%p"])
            // Another authority signs the server's certificate from now on.
            try await certificates.authority("next")
            try await certificates.issue("server", by: "next", extensions: ["subjectAltName=DNS:localhost"])
            broker.process.signal(SIGHUP)
            try await broker.process.line(containing: "configuration reloaded")
            let new = MosquittoClients(
                broker: broker, version: "5", options: ["--cafile", certificates.certificate("next")])
            try await new.publish(["-t", "a", "-m", "one", "-q", "1"])
            #expect(try await old.tryToPublish(["-t", "a", "-m", "no", "-q", "1"]) != 0)
            // A key that does not belong to it is told, and what was stays.
            try await certificates.issue("other")
            try FileManager.default.removeItem(atPath: certificates.key("server"))
            try FileManager.default.copyItem(atPath: certificates.key("other"), toPath: certificates.key("server"))
            broker.process.signal(SIGHUP)
            try await broker.process.line(containing: "configuration not reloaded")
            try await new.publish(["-t", "a", "-m", "two", "-q", "1"])
            #expect(try await subscriber.messages() == ["one", "two"])
        }
    }

    @Test func sighupTakesUpLimitsAndTellsWhatNeedsARestart() async throws {
        let certificates = try await Certificates()
        let file = certificates.path("dunlin.yaml")
        let text = "listener:\n  it:\n    address: 127.0.0.1:0\n"
        try Data(text.utf8).write(to: URL(filePath: file))
        try await BrokerProcess.with(configuration: file) { broker in
            let clients = MosquittoClients(broker: broker, version: "5")
            try await clients.publish(["-t", "a", "-m", "x", "-q", "1"])
            try Data((text + "    connection-rate: 1\nshards: 1\n").utf8).write(to: URL(filePath: file))
            broker.process.signal(SIGHUP)
            try await broker.process.line(containing: "changed=listener.it.connection-rate")
            try await broker.process.line(containing: "keys=shards")
            let statuses = [
                try await clients.tryToPublish(["-t", "a", "-m", "x", "-q", "1"]),
                try await clients.tryToPublish(["-t", "a", "-m", "x", "-q", "1"]),
            ]
            #expect(statuses != [0, 0])
        }
    }

    @Test func checkTellsTheFileAndLineOfABadCertificate() async throws {
        let certificates = try await Certificates()
        try await certificates.issue("other")
        let file = certificates.path("dunlin.yaml")
        for (certificate, key, complaint) in [
            ("nowhere.pem", "server.key", "4: listener.secure.certificate: "),
            ("server.key", "server.key", "4: listener.secure.certificate: "),
            ("server.pem", "server.pem", "5: listener.secure.key: "),
            ("server.pem", "other.key", "5: listener.secure.key: "),
        ] {
            let text = """
                listener:
                  secure:
                    address: tls://127.0.0.1:0
                    certificate: \(certificates.path(certificate))
                    key: \(certificates.path(key))
                """
            try Data(text.utf8).write(to: URL(filePath: file))
            let check = try ChildProcess(try Tool.dunlin(), ["check", file])
            #expect(try await check.wait() == 1)
            #expect(check.output.text.contains("\(file):\(complaint)"), "\(check.output.text)")
            let serve = try ChildProcess(try Tool.dunlin(), ["serve", "--config", file])
            #expect(try await serve.wait() == 78)
            #expect(serve.output.text.contains(complaint), "\(serve.output.text)")
        }
    }
}
