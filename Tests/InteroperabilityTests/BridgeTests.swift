import Foundation
import NATSServerKit
import ProcessKit
import Testing

/// Bridges between real processes, over a link that is cut, with brokers that are killed.
@Suite("Bridges", .serialized, .enabled(if: !BrokerProcess.isPeer))
struct BridgeTests {
    private static func section(
        _ name: String = "cloud", to port: Int, as identifier: String = "edge7", _ topics: [String],
        more: String = ""
    ) -> String {
        """
          \(name):
            addresses: ["127.0.0.1:\(port)"]
            client-id: \(identifier)
            topics:
        \(topics.map { "      - '\($0)'" }.joined(separator: "\n"))
        \(more)
        """
    }

    private static func lines(_ count: Int) -> [String] { (0..<count).map { "\($0)" } }

    private func publish(_ lines: [String], to topic: String, qos: Int, at broker: BridgedBroker) async throws {
        try await broker.clients().publish(
            ["-t", topic, "-q", "\(qos)", "-l"], input: lines.joined(separator: "\n") + "\n")
    }

    @Test(arguments: [1, 2]) func messagesOfBothSidesWaitForTheLink(qos: Int) async throws {
        let cloud = try await BridgedBroker()
        let link = try await LinkProxy.start(to: cloud.broker.port)
        let edge = try await BridgedBroker(
            bridges: Self.section(to: link.port, [#"up/# out 2 "" edge7/"#, #"down/# in 2 "" edge7/"#]))
        try await edge.linked()
        link.cut()
        try await edge.broker.process.line(containing: "bridge not connected")

        let lines = Self.lines(300)
        try await publish(lines, to: "up/x", qos: qos, at: edge)
        try await publish(lines, to: "edge7/down/x", qos: qos, at: cloud)
        let above = try await cloud.clients().subscriber(["-t", "edge7/up/#", "-q", "2", "-C", "301"])
        let below = try await edge.clients().subscriber(["-t", "down/#", "-q", "2", "-C", "301"])
        link.lead(to: cloud.broker.port)
        // What comes last shows that nothing came twice.
        try await above.line(containing: lines[299])
        try await below.line(containing: lines[299])
        try await publish(["end"], to: "up/x", qos: qos, at: edge)
        try await publish(["end"], to: "edge7/down/x", qos: qos, at: cloud)
        #expect(try await above.messages() == lines + ["end"])
        #expect(try await below.messages() == lines + ["end"])
        try await edge.stop()
        try await cloud.stop()
        await link.stop()
    }

    /// P1 and P3 over the link: QoS 2 is exactly once and in order, whoever dies.
    @Test(arguments: [true, false]) func brokersAreKilledInTheMiddleAndQoS2IsExactlyOnce(goesUp: Bool) async throws {
        let cloud = try await BridgedBroker()
        let link = try await LinkProxy.start(to: cloud.broker.port)
        let edge = try await BridgedBroker(bridges: Self.section(to: link.port, ["x both 2"]))
        try await edge.linked()
        let (source, target) = goesUp ? (edge, cloud) : (cloud, edge)
        let keeper = ["-i", "keeper", "-c", "-x", "600", "-q", "2", "-t", "x"]
        _ = try await target.clients().subscriber(keeper + ["-E"]).messages()
        link.cut()
        let lines = Self.lines(5_000)
        try await publish(lines, to: "x", qos: 2, at: source)

        for round in 0..<4 {
            let observer = try await target.clients().subscriber(["-t", "x", "-q", "0", "-C", "300"])
            link.lead(to: cloud.broker.port)
            _ = try await observer.messages()
            let victim = round % 2 == 0 ? edge : cloud
            try await victim.kill()
            link.cut()
            try await victim.start()
        }
        link.lead(to: cloud.broker.port)
        try await publish(["end"], to: "x", qos: 2, at: source)
        let collected = try await target.clients().startSubscriber(keeper + ["-C", "5001"]).messages()
        #expect(collected.count == 5_001)
        #expect(collected == lines + ["end"])
        try await edge.stop()
        try await cloud.stop()
        await link.stop()
    }

    /// Packet identifiers of the new session begin anew; the other side has to let go of those of the old one.
    @Test(arguments: [true, false]) func aSideThatLostItsSessionIsLinkedAnew(isLocal: Bool) async throws {
        let cloud = try await BridgedBroker(keepsData: isLocal)
        let link = try await LinkProxy.start(to: cloud.broker.port)
        let edge = try await BridgedBroker(
            bridges: Self.section(to: link.port, ["x both 2"]), keepsData: !isLocal)
        try await edge.linked()
        let lines = Self.lines(50)
        for round in 0..<2 {
            for (source, target) in [(edge, cloud), (cloud, edge)] {
                let subscriber = try await target.clients().subscriber(["-t", "x", "-q", "2", "-C", "50"])
                try await publish(lines, to: "x", qos: 2, at: source)
                #expect(try await subscriber.messages() == lines)
            }
            if round > 0 { break }
            let victim = isLocal ? edge : cloud
            try await victim.kill()
            link.cut()
            try await victim.start()
            link.lead(to: cloud.broker.port)
            if isLocal {
                try await edge.linked()
            } else {
                try await edge.broker.process.line(containing: "localSession=resumed remoteSession=new")
            }
        }
        try await edge.stop()
        try await cloud.stop()
        await link.stop()
    }

    /// TLS with a certificate of its own, a password there, and the rules of a user here.
    @Test func theBridgeSaysWhoItIsOnBothSides() async throws {
        let certificates = try await Certificates()
        try await certificates.issue("edge")
        let files = try DataFolder()
        for (name, user) in [("there", "edge"), ("here", "bridge")] {
            try await ChildProcess(
                try Tool.dunlin(), ["passwd", files.path + "/" + name, user], input: "secret of \(user)\n"
            ).succeed()
            try "secret of \(user)\n".write(toFile: files.path + "/\(user).secret", atomically: true, encoding: .utf8)
        }
        try "allow user bridge read up/#\nallow anonymous write up/#\n".write(
            toFile: files.path + "/rules", atomically: true, encoding: .utf8)
        let cloud = try await BridgedBroker(
            more: """
                listener:
                  secure:
                    address: tls://127.0.0.1:0
                    certificate: \(certificates.certificate("server"))
                    key: \(certificates.key("server"))
                    client-ca: \(certificates.certificate("ca"))
                    client-certificate: required
                access: {password-file: "\(files.path)/there", without-rules: allow}
                allow-anonymous: true
                """)
        let announced = try await cloud.broker.process.line(containing: " listening on ")
        let port = announced.split(separator: ":").last ?? ""
        let edge = try await BridgedBroker(
            bridges: """
                  cloud:
                    addresses: ["tls://localhost:\(port)"]
                    client-id: edge7
                    user-name: edge
                    password-file: \(files.path)/edge.secret
                    ca: \(certificates.certificate("ca"))
                    certificate: \(certificates.certificate("edge"))
                    key: \(certificates.key("edge"))
                    local-user-name: bridge
                    local-password-file: \(files.path)/bridge.secret
                    topics: ["up/# out", "down/# in"]
                """,
            more: """
                access: {password-file: "\(files.path)/here", rules-file: "\(files.path)/rules"}
                allow-anonymous: true
                """)
        try await edge.linked()
        let subscriber = try await cloud.clients().subscriber(["-t", "up/#", "-q", "1", "-C", "1"])
        try await publish(["hello"], to: "up/x", qos: 1, at: edge)
        #expect(try await subscriber.messages() == ["hello"])
        // What the rules do not let its user publish is refused, told, and in nobody's way.
        try await publish(["no"], to: "down/x", qos: 1, at: cloud)
        try await edge.broker.process.line(containing: "a broker has refused a message of the bridge")
        try await edge.stop()
        try await cloud.stop()
    }

    /// The remote side listens on WebSocket over TLS, and on WebSocket alone.
    @Test func theRemoteSideIsReachedOverWebSocket() async throws {
        let certificates = try await Certificates()
        let cloud = try await BridgedBroker(
            more: """
                listener:
                  plain: {address: "ws://127.0.0.1:0"}
                  secure:
                    address: wss://127.0.0.1:0
                    certificate: \(certificates.certificate("server"))
                    key: \(certificates.key("server"))
                allow-anonymous: true
                """)
        let announced = try await cloud.broker.process.line(containing: " listening on ")
        let addresses = announced.components(separatedBy: " listening on ").last?.components(separatedBy: ", ") ?? []
        for scheme in ["ws://", "wss://"] {
            let address = try #require(addresses.first { $0.hasPrefix(scheme) })
            let port = address.split(separator: ":").last ?? ""
            let edge = try await BridgedBroker(
                bridges: """
                      cloud:
                        addresses: ["\(scheme)localhost:\(port)"]
                        client-id: edge-\(port)
                        ca: \(certificates.certificate("ca"))
                        topics: ["up/# both 2"]
                    """)
            try await edge.linked()
            let above = try await cloud.clients().subscriber(["-t", "up/#", "-q", "2", "-C", "50"])
            try await publish(Self.lines(50), to: "up/x", qos: 2, at: edge)
            #expect(try await above.messages() == Self.lines(50))
            let below = try await edge.clients().subscriber(["-t", "up/#", "-q", "2", "-C", "1"])
            try await publish(["down"], to: "up/y", qos: 2, at: cloud)
            #expect(try await below.messages() == ["down"])
            try await edge.stop()
        }
        try await cloud.stop()
    }

    @Test func aReloadRestartsTheBridgesThatHaveChangedAndNoOthers() async throws {
        let cloud = try await BridgedBroker()
        let port = cloud.broker.port
        let kept = Self.section("kept", to: port, as: "kept", ["kept/#"])
        let edge = try await BridgedBroker(
            bridges: kept + "\n" + Self.section("changed", to: port, as: "changed", ["old/#"]))
        for name in ["kept", "changed"] {
            try await edge.broker.process.line(containing: "bridge connected bridge=\(name)")
        }
        try await edge.reload(
            bridges: kept + "\n" + Self.section("changed", to: port, as: "changed", ["new/#"]) + "\n"
                + Self.section("added", to: port, as: "added", ["added/#"]))
        try await edge.broker.process.line(containing: "bridge connected bridge=added")
        let above = try await cloud.clients().subscriber(["-t", "#", "-q", "1", "-C", "3"])
        for topic in ["kept/x", "added/x", "new/x"] {
            try await publish([topic], to: topic, qos: 1, at: edge)
        }
        #expect(try await above.messages().sorted() == ["added/x", "kept/x", "new/x"])
        let connected = edge.broker.process.output.lines.filter { $0.contains("bridge connected bridge=kept") }
        #expect(connected.count <= 1)
        try await edge.reload(bridges: kept)
        try await edge.broker.process.line(containing: "bridge stopped bridge=added")
        try await edge.stop()
        try await cloud.stop()
    }

    @Test func messagesDoNotGoRoundInARing() async throws {
        var links: [LinkProxy] = []
        var brokers: [BridgedBroker] = []
        let names = ["A", "B", "C"]
        for _ in names { links.append(try await LinkProxy.start(to: nil)) }
        for index in 0..<3 {
            let next = (index + 1) % 3
            let more = "    local-name: \(names[index])\n    remote-name: \(names[next])"
            brokers.append(
                try await BridgedBroker(
                    bridges: Self.section(
                        to: links[next].port, as: "bridge-of-\(names[index])", ["# both 2"], more: more)))
        }
        for index in 0..<3 { links[index].lead(to: brokers[index].broker.port) }
        for broker in brokers { try await broker.linked() }
        var observers: [ChildProcess] = []
        for broker in brokers { observers.append(try await broker.clients().subscriber(["-t", "#", "-v", "-q", "2"])) }
        for number in 0..<20 { try await publish(["\(number)"], to: "t", qos: 2, at: brokers[number % 3]) }
        for (broker, observer) in zip(brokers, observers) {
            // Over both ways of the ring.
            for number in 17..<20 { try await observer.line(containing: "t \(number)") }
            for number in 0..<10 {
                let count = observer.output.lines.filter { $0 == "t \(number)" }.count
                #expect((1...2).contains(count), "\(count) times \(number)")
            }
            try await broker.stop()
        }
        for link in links { await link.stop() }
    }

    /// What an edge box sees of a flock: the next node, when one dies. Nothing acknowledged is lost, nothing comes twice.
    @Test func anEdgeGoesOnWithTheNextNodeOfAFlock() async throws {
        let server = try await NATSServer()
        // It ends with the object.
        defer { withExtendedLifetime(server) {} }
        var nodes: [BrokerProcess] = []
        for place in 0..<2 {
            nodes.append(try await BrokerProcess.start(["--nats", server.url, "--node", "n\(place)"]))
        }
        let list = nodes.map { "\"127.0.0.1:\($0.port)\"" }.joined(separator: ", ")
        let edge = try await BridgedBroker(
            bridges: """
                  cloud:
                    addresses: [\(list)]
                    client-id: edge7
                    topics: ["x both 2"]
                """)
        try await edge.linked()
        let clients = MosquittoClients(broker: nodes[1], version: "5")
        let subscriber = try await clients.subscriber(["-t", "x", "-q", "2", "-C", "201"])
        let lines = Self.lines(200)
        try await publish(Array(lines[..<100]), to: "x", qos: 2, at: edge)
        nodes[0].process.signal(SIGKILL)
        try await publish(Array(lines[100...]), to: "x", qos: 2, at: edge)
        try await publish(["end"], to: "x", qos: 2, at: edge)
        #expect(try await subscriber.messages() == lines + ["end"])
        // And the other way, over the session that the second node has taken over.
        let below = try await edge.clients().subscriber(["-t", "x", "-q", "2", "-C", "1"])
        try await clients.publish(["-t", "x", "-q", "2", "-m", "down"])
        #expect(try await below.messages() == ["down"])
        try await edge.stop()
        nodes[1].process.signal(SIGKILL)
    }

    /// Debian's Mosquitto on the other side; with 3.1.1 it takes the bridge bit.
    @Test(arguments: ["5.0", "3.1.1"]) func mosquittoIsLinkedInBothDirectionsWithoutALoop(version: String) async throws
    {
        let remote = try await BrokerProcess.startMosquitto()
        let link = try await LinkProxy.start(to: remote.port)
        let edge = try await BridgedBroker(
            bridges: Self.section(to: link.port, ["# both 2"], more: "    version: \"\(version)\""))
        try await edge.linked()
        let clients = MosquittoClients(broker: remote, version: "5")
        let there = try await clients.subscriber(["-t", "#", "-q", "2", "-v", "-C", "61"])
        let here = try await edge.clients().subscriber(["-t", "#", "-q", "2", "-v", "-C", "61"])
        let lines = Self.lines(30)
        try await publish(lines, to: "up", qos: 2, at: edge)
        try await there.line(containing: "up 29")
        try await clients.publish(["-t", "down", "-q", "2", "-l"], input: lines.joined(separator: "\n") + "\n")
        try await here.line(containing: "down 29")
        // Queued on both sides while the link is cut, and retained on the other side.
        link.cut()
        try await edge.broker.process.line(containing: "bridge not connected")
        try await edge.clients().publish(["-t", "state", "-q", "1", "-r", "-m", "kept"])
        link.lead(to: remote.port)
        let up = lines.map { "up \($0)" }
        let down = lines.map { "down \($0)" }
        #expect(try await there.messages() == up + down + ["state kept"])
        #expect(try await here.messages() == up + down + ["state kept"])
        let late = try await clients.subscriber(["-t", "state", "-C", "1", "-F", "%r %p"])
        #expect(try await late.messages() == ["1 kept"])
        try await edge.stop()
        remote.process.signal(SIGKILL)
        await link.stop()
    }
}
