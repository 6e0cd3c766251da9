import BrokerCore
import MQTTModel

/// CONNACK (section 3.2) and client identifiers (section 3.1.3.1).
extension Exchange {
    @ExchangeList static var connAck: [Exchange] {
        accepted
        clientIdentifiers
        announcements
    }

    @ExchangeList private static var accepted: [Exchange] {
        Exchange("an accepted CONNECT is answered by CONNACK 0", v3: ["3.1.4-4", "3.2.2-3"]) {
            a.requests()
            a.gets(.hex("20 02 00 00"))
            a.getsNothing()
        }
        Exchange(
            "an accepted CONNECT is answered by one CONNACK 0x00 with reserved bits 0",
            v5: ["3.1.4-5", "3.2.0-2", "3.2.2-1", "3.2.2-8"]
        ) {
            a.requests()
            a.gets(.connAck(0, absent: [.reasonString, .assignedClientIdentifier, .serverKeepAlive]))
            a.sends(.pingReq)
            a.gets(.pingResp)
            a.getsNothing()
        }
    }

    @ExchangeList private static var clientIdentifiers: [Exchange] {
        for identifier in ["0", "abcdefghijklmnopqrstuvw", "ABCDEFGHIJKLMNOPQRSTUVW", "0123456789xyzXYZ"] {
            Exchange("the client identifier \(identifier) is accepted", v3: ["3.1.3-5"], v5: ["3.1.3-5"]) {
                a.connects(id: Text(identifier))
            }
        }
        Exchange(
            "an empty client identifier with clean session 0 gets return code 2",
            v3: ["3.1.3-7", "3.1.3-8", "3.1.3-9", "3.2.2-4", "3.2.2-5"], traps: [6, 7]
        ) {
            a.requests(id: "", clean: false)
            a.gets(.hex("20 02 00 02"))
            a.isClosed()
        }
        Exchange(
            "empty client identifiers with clean session 1 are accepted, and each is another", v3: ["3.1.3-6"],
            traps: [6]
        ) {
            a.connects(id: "")
            b.connects(id: "")
            b.subscribes("t")
            a.sends(.publish("t", "x"))
            b.gets(.publish("t", "x"))
            a.getsNothing()
        }
        Exchange(
            "an empty client identifier is assigned one in CONNACK", v5: ["3.1.3-6", "3.1.3-7", "3.2.2-16"],
            traps: [6]
        ) {
            for clean in [true, false] {
                a.requests(id: "", clean: clean)
                a.gets(.assignment)
                b.requests(id: "", clean: clean)
                b.gets(.assignment)
                a.sends(.pingReq)
                a.gets(.pingResp)
                a.disconnects()
                b.disconnects()
            }
        }
        Exchange(
            "a CONNACK that refuses has session present 0, though there is a session", v3: ["3.2.2-4"],
            v5: ["3.2.2-6", "3.2.2-7"], traps: [7]
        ) {
            a.connects(kept: true)
            a.disconnects()
            a.opens()
            only(.v3) { a.sends(.connect(name: "MQTT", level: 3)) }
            only(.v3) { a.gets(.hex("20 02 00 01")) }
            only(.v5) { a.sends(.connect(clean: false, [.authenticationMethod("none")])) }
            only(.v5) { a.gets(.connAck(0x8C, present: false)) }
            a.isClosed()
            a.connects(kept: true, present: true)
        }
        Exchange("no client identifier is assigned to who has one", v5: ["3.1.3-7"], traps: [6]) {
            a.requests()
            a.gets(.connAck(0, absent: [.assignedClientIdentifier]))
        }
        Exchange(
            "a client identifier that is too long is refused", v3: ["3.1.3-9"], v5: ["3.1.3-8"],
            options: { $0.limits.maximumClientIdentifierLength = 30 }
        ) {
            a.requests(id: .long(31))
            only(.v3) { a.gets(.connAck(2)) }
            only(.v5) { a.gets(.connAck(0x85)) }
            a.isClosed()
            b.connects(id: .long(30))
        }
        Exchange("client identifiers that differ in case are different", v3: ["3.1.3-2"], v5: ["3.1.3-2"]) {
            a.connects(id: "client")
            b.connects(id: "CLIENT")
            a.sends(.pingReq)
            a.gets(.pingResp)
        }
    }

    @ExchangeList private static var announcements: [Exchange] {
        Exchange("CONNACK announces the server's limits", v5: ["3.2.2-15", "3.2.2-17", "3.3.4-7"], traps: [36, 40]) {
            a.requests()
            a.gets(
                .connAck(
                    0, has: [.receiveMaximum(1024), .topicAliasMaximum(64), .maximumPacketSize(1 << 20)],
                    absent: [
                        .maximumQoS, .sessionExpiryInterval, .serverKeepAlive, .responseInformation,
                        .serverReference,
                    ]))
        }
        Exchange("nothing that is available is said to be missing", v5: ["3.2.2-9", "3.2.2-10"]) {
            a.requests()
            // What is not sent counts as available, so only what is sent may be wrong: see the exchange above.
            a.gets(.connAck(0, absent: [.maximumQoS]))
            a.sends(
                .subscribe(.filter("#", qos: 2), .filter("$share/s/t", qos: 2), id: 1, [.subscriptionIdentifier(1)]))
            a.gets(.subAck(1, [2, 2]))
        }
        Exchange(
            "without server keep alive the client's value counts", v5: ["3.2.2-22", "3.1.2-22"], traps: [8, 9]
        ) {
            a.requests(keepAlive: 10)
            a.gets(.connAck(0, absent: [.serverKeepAlive]))
            passes(.seconds(14))
            a.getsNothing()
            passes(.seconds(2))
            a.isRefused(0x8D)
        }
        Exchange(
            "a session expiry interval above the server's is cut, and the client is told", v5: ["3.1.2-23"],
            options: { $0.limits.maximumSessionExpiryInterval = 10 }
        ) {
            a.requests([.sessionExpiryInterval(100)])
            a.gets(.connAck(0, has: [.sessionExpiryInterval(10)]))
            a.disconnects()
            passes(.seconds(12))
            a.connects(clean: false, present: false)
        }
        Exchange(
            "no reason string or user property in CONNACK makes it larger than the client takes",
            v5: ["3.2.2-19", "3.2.2-20"], traps: [37, 38]
        ) {
            // Too small for any CONNACK with a reason string; the size is checked by the runner.
            a.requests(id: "", [.maximumPacketSize(60), .authenticationMethod("none")])
            a.gets(.connAck(0x8C))
            a.isClosed()
        }
    }
}
